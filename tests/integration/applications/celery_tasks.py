# SPDX-License-Identifier: MIT
"""500 tasks through a Celery worker of two forked processes, with folders for broker and results: no server."""
import os
import signal
import subprocess
import sys

import celery

FOLDER = os.path.join(os.getcwd(), "broker")
app = celery.Celery("celery_tasks", broker="filesystem://", backend="file://" + FOLDER)
app.conf.broker_transport_options = {"data_folder_in": FOLDER, "data_folder_out": FOLDER, "control_folder": FOLDER}
kept = []


@app.task
def square(number):
    kept.append(b"x" * 200000 + b"y")  # top
    return number * number


def main():
    os.mkdir(FOLDER)
    worker = subprocess.Popen([sys.executable, "-m", "celery", "--quiet", "-A", "celery_tasks", "worker", "--pool", "prefork",
                               "--concurrency", "2", "--loglevel", "ERROR", "--without-gossip", "--without-mingle"],
                              stdout=subprocess.DEVNULL)
    results = [square.delay(number) for number in range(500)]
    print(sum(result.get(timeout=300, interval=0.05) for result in results))
    worker.send_signal(signal.SIGTERM)
    print("the worker ended with", worker.wait())


if __name__ == "__main__":
    sys.modules["celery_tasks"] = sys.modules["__main__"]
    main()
