# A manual page whose text is what TOOL --help says: cmake -DTOOL=... -DNAME=... -DVERSION=... -DOUTPUT=... -P
execute_process(COMMAND ${TOOL} --help OUTPUT_VARIABLE help RESULT_VARIABLE result)
if(NOT result EQUAL 0)
  message(FATAL_ERROR "${TOOL} --help ended with ${result}")
endif()
string(REGEX MATCH "^usage: [^\n]*  +([^\n]*)" first "${help}")
set(summary "${CMAKE_MATCH_1}")
string(REPLACE "\\" "\\e" help "${help}")
string(REPLACE "-" "\\-" help "${help}")
string(REPLACE "'" "\\(aq" help "${help}")
string(REPLACE "~" "\\(ti" help "${help}")
string(REPLACE "\n." "\n\\&." help "${help}")
string(REPLACE "-" "\\-" name "${NAME}")
string(TOUPPER "${name}" title)
file(WRITE "${OUTPUT}" ".TH ${title} 1 \"\" \"libtracemalloc ${VERSION}\" \"User Commands\"
.SH NAME
${name} \\- ${summary}
.SH DESCRIPTION
.nf
${help}.fi
.SH SEE ALSO
\\fBtm\\-run\\fR(1), \\fBtm\\-snap\\fR(1), \\fBtm\\-top\\fR(1), \\fBtm\\-report\\fR(1)
")
