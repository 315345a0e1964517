cp "$GOLDEN/v1-empty.tms" a.tms
try() { echo "== $*"; "$@"; echo "  exit code $?"; }
{
    try tm-report --unknown a.tms
    try tm-report --limt=3 a.tms
    try tm-report -q a.tms
    try tm-report --st a.tms
    try tm-report --limit
    try tm-report --limit=--1 a.tms
    try tm-report --limit=x a.tms
    try tm-report --all=yes a.tms
    try tm-report --group-by=line a.tms
    try tm-report --figure=max a.tms
    try tm-report --domain=obj,libc a.tms
    try tm-report --style=plain a.tms
    try tm-report --format=xml a.tms
    try tm-report --color=sometimes a.tms
    try tm-report top
    try tm-report diff a.tms
    try tm-report a.tms a.tms a.tms
    try tm-report stats a.tms a.tms
    try tm-report traceback -g lineno a.tms
    try tm-report -c -g traceback a.tms
    try tm-report --format json --style=tracemalloc a.tms
    try tm-report - -
} 2>&1
