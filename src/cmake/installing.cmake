# Library, tools, headers, pkg-config file, licence and README.  The library and the tools install themselves where
# they are made.
install(DIRECTORY include/tracemalloc DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h")
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(FILES README.md DESTINATION ${CMAKE_INSTALL_DOCDIR} OPTIONAL)

# The file says where it lies itself, so `cmake --install --prefix` and a moved tree stay right.
set(TM_PC_LIBDIR "\${prefix}/${CMAKE_INSTALL_LIBDIR}")
set(TM_PC_INCLUDEDIR "\${prefix}/${CMAKE_INSTALL_INCLUDEDIR}")
if(IS_ABSOLUTE "${CMAKE_INSTALL_LIBDIR}" OR IS_ABSOLUTE "${CMAKE_INSTALL_INCLUDEDIR}")
  set(TM_PC_PREFIX "${CMAKE_INSTALL_PREFIX}")
  set(TM_PC_LIBDIR "${CMAKE_INSTALL_FULL_LIBDIR}")
  set(TM_PC_INCLUDEDIR "${CMAKE_INSTALL_FULL_INCLUDEDIR}")
else()
  file(RELATIVE_PATH up "/prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/prefix")
  string(REGEX REPLACE "/$" "" up "${up}")
  set(TM_PC_PREFIX "\${pcfiledir}/${up}")
endif()
configure_file(src/cmake/libtracemalloc.pc.in ${PROJECT_BINARY_DIR}/libtracemalloc.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/libtracemalloc.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

# `LD_PRELOAD=libtracemalloc.so` is found by ld.so's own search only: say so at once when it will not be.
install(CODE "set(TM_LIBDIR \"${CMAKE_INSTALL_LIBDIR}\")")
install(SCRIPT src/cmake/preload_hint.cmake)
