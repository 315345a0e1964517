# cmake -DFORMAT=clang-format -DROOT=... -DMODE=check|write -P format.cmake
file(GLOB_RECURSE sources ${ROOT}/include/*.h ${ROOT}/src/*.[ch] ${ROOT}/tools/*.[ch] ${ROOT}/tests/*.[ch]
  ${ROOT}/examples/*.[ch])
if(NOT sources)
  message(FATAL_ERROR "no sources under ${ROOT}")
endif()
if(MODE STREQUAL "write")
  execute_process(COMMAND ${FORMAT} -i ${sources} RESULT_VARIABLE result)
else()
  execute_process(COMMAND ${FORMAT} --dry-run -Werror ${sources} RESULT_VARIABLE result)
endif()
if(result)
  message(FATAL_ERROR "not in the format of .clang-format: run cmake --build BUILD --target format")
endif()
