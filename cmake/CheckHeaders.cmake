# Every header compiles on its own: one tiny source per header, built by `make lint` (ccache
# makes it free when nothing changed).
file(GLOB_RECURSE headers CONFIGURE_DEPENDS RELATIVE ${CMAKE_SOURCE_DIR}
     ${CMAKE_SOURCE_DIR}/libs/*.h ${CMAKE_SOURCE_DIR}/services/*.h)
set(sources)
foreach(header ${headers})
  string(REGEX REPLACE "^(libs|services)/" "" include ${header})
  string(REGEX REPLACE "[^A-Za-z0-9]" "_" name ${header})
  set(source ${CMAKE_BINARY_DIR}/header_checks/${name}.cc)
  file(CONFIGURE OUTPUT ${source} CONTENT "#include \"${include}\"\n")
  list(APPEND sources ${source})
endforeach()
add_library(header_checks OBJECT EXCLUDE_FROM_ALL ${sources})
target_include_directories(header_checks PRIVATE ${CMAKE_SOURCE_DIR}/libs ${CMAKE_SOURCE_DIR}/services)
target_link_libraries(header_checks PRIVATE korder_flags korder_runtime korder_proto_quota
                      korder_proto_ticket Catch2::Catch2)
