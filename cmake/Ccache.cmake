# Uses ccache when it is there: a second build of the same sources costs seconds.
find_program(KORDER_CCACHE ccache)
if(KORDER_CCACHE)
  set(CMAKE_C_COMPILER_LAUNCHER ${KORDER_CCACHE})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${KORDER_CCACHE})
endif()
