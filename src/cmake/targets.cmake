# check: builds everything, runs the tests.  lint, format, format-check, tidy: see README, "Building and testing".
function(tm_targets_below folder result)
  get_property(found DIRECTORY ${folder} PROPERTY BUILDSYSTEM_TARGETS)
  get_property(subfolders DIRECTORY ${folder} PROPERTY SUBDIRECTORIES)
  foreach(subfolder ${subfolders})
    tm_targets_below(${subfolder} below)
    list(APPEND found ${below})
  endforeach()
  set(${result} ${found} PARENT_SCOPE)
endfunction()
tm_targets_below(${PROJECT_SOURCE_DIR} TM_TARGETS)

include(ProcessorCount)
ProcessorCount(TM_PROCESSORS)

function(tm_ctest_target name)
  add_custom_target(${name} COMMAND ${CMAKE_CTEST_COMMAND} --output-on-failure -j ${TM_PROCESSORS} ${ARGN}
    WORKING_DIRECTORY ${PROJECT_BINARY_DIR} USES_TERMINAL VERBATIM)
  foreach(target ${TM_TARGETS})
    get_target_property(type ${target} TYPE)
    if(NOT type STREQUAL "INTERFACE_LIBRARY" AND NOT type STREQUAL "UTILITY")
      add_dependencies(${name} ${target})
    endif()
  endforeach()
endfunction()
tm_ctest_target(check -LE "bench|full")
tm_ctest_target(lint -L lint)

function(tm_format_target name mode)
  add_custom_target(${name} COMMAND ${CMAKE_COMMAND} -DFORMAT=${TM_CLANG_FORMAT} -DROOT=${PROJECT_SOURCE_DIR}
    -DMODE=${mode} -P ${PROJECT_SOURCE_DIR}/tests/lint/format.cmake VERBATIM)
endfunction()
find_program(TM_CLANG_FORMAT NAMES clang-format-14 clang-format)
if(TM_CLANG_FORMAT)
  tm_format_target(format write)
  tm_format_target(format-check check)
endif()

find_program(TM_RUN_CLANG_TIDY NAMES run-clang-tidy run-clang-tidy-14)
if(TM_RUN_CLANG_TIDY AND CMAKE_C_COMPILER_ID STREQUAL "Clang") # it reads the flags of the build
  add_custom_target(tidy COMMAND ${TM_RUN_CLANG_TIDY} -quiet -p ${PROJECT_BINARY_DIR} "/(src|tools)/.*\\.c$"
    WORKING_DIRECTORY ${PROJECT_SOURCE_DIR} USES_TERMINAL VERBATIM)
endif()
