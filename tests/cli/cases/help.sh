tm-report --help
tm-report --version | sed 's/[0-9.]*$/X/'
