# What TOOL --print WHAT says, as a file: cmake -DTOOL=... -DWHAT=... -DOUTPUT=... -P
execute_process(COMMAND ${TOOL} --print ${WHAT} OUTPUT_FILE "${OUTPUT}" RESULT_VARIABLE result)
if(NOT result EQUAL 0)
  message(FATAL_ERROR "${TOOL} --print ${WHAT} ended with ${result}")
endif()
