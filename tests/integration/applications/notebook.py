# SPDX-License-Identifier: MIT
"""A Jupyter kernel is started, runs cells, is restarted and stopped."""
import sys

from jupyter_client.manager import KernelManager

CELLS = ("kept = [b'x' * 20000 + b'y' for _ in range(1000)]", "print(len(kept))", "1 / 0", "import os; 6 * 7")


def run(client, cell):
    shown = []

    def output(message):
        content = message["content"]
        shown.append(content.get("text") or content.get("ename") or content.get("data", {}).get("text/plain"))

    reply = client.execute_interactive(cell, timeout=300, output_hook=output)
    print(reply["content"]["status"], [text for text in shown if text])


manager = KernelManager(kernel_name="python3")
manager.kernel_cmd = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
manager.start_kernel()
for turn in range(2):
    client = manager.client()
    client.start_channels()
    client.wait_for_ready(timeout=300)
    for cell in CELLS:
        run(client, cell)
    client.stop_channels()
    if turn == 0:
        manager.restart_kernel()
manager.shutdown_kernel()
print("alive:", manager.is_alive())
