# The four ways a target is made here. Every folder lists its files by name.
#
#   korder_library(base SOURCES status.cc DEPS absl::status)
#   korder_test(base_test SOURCES status_test.cc DEPS korder_base)
#   korder_proto(quota korder/quota/v1/quota.proto)
#   korder_service(order-svc MAIN main.cc SOURCES decide.cc DEPS korder_runtime)

# A library libs/<name> -> target korder_<name>. Includes are written "name/file.h".
function(korder_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS;PRIVATE_DEPS" ${ARGN})
  add_library(korder_${name} STATIC ${ARG_SOURCES})
  target_include_directories(korder_${name} PUBLIC ${CMAKE_SOURCE_DIR}/libs)
  target_link_libraries(korder_${name} PUBLIC ${ARG_DEPS} PRIVATE ${ARG_PRIVATE_DEPS} korder_flags)
endfunction()

# One Catch2 main for all test programs: compiling it once is most of Catch2's cost.
function(korder_test name)
  cmake_parse_arguments(ARG "" "LABEL;TIMEOUT" "SOURCES;DEPS;ARGS" ${ARGN})
  if(NOT ARG_LABEL)
    set(ARG_LABEL unit)
  endif()
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 120)
  endif()
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE ${ARG_DEPS} korder_catch_main korder_flags)
  add_test(NAME ${name} COMMAND ${name} ${ARG_ARGS})
  set_tests_properties(${name} PROPERTIES LABELS ${ARG_LABEL} TIMEOUT ${ARG_TIMEOUT})
  if(ARG_LABEL STREQUAL integration)
    # Timeouts are real there: not while a cluster is being worked hard.
    set_tests_properties(${name} PROPERTIES RESOURCE_LOCK cluster)
  endif()
endfunction()

# Tests that try so much that only the optimised build is fast enough: `scripts/test exhaustive`. What the build
# with sanitizers has of them is less.
function(korder_exhaustive)
  set_tests_properties(${ARGN} PROPERTIES LABELS exhaustive RUN_SERIAL TRUE TIMEOUT 600)
endfunction()

# A test of the tier `races`, in the build with ThreadSanitizer only (preset tsan): PROGRAM is one of the test programs
# there are; with SOURCES, one is made of tests that elsewhere stand together with others that need gRPC.
function(korder_races name)
  cmake_parse_arguments(ARG "" "PROGRAM" "SOURCES;DEPS;ARGS;ENVIRONMENT" ${ARGN})
  if(NOT KORDER_SANITIZE MATCHES thread)
    return()
  endif()
  if(ARG_SOURCES)
    set(ARG_PROGRAM races_${name})
    add_executable(${ARG_PROGRAM} EXCLUDE_FROM_ALL ${ARG_SOURCES})
    target_link_libraries(${ARG_PROGRAM} PRIVATE ${ARG_DEPS} korder_catch_main korder_flags)
  endif()
  add_dependencies(races ${ARG_PROGRAM})
  add_test(NAME races_${name} COMMAND ${ARG_PROGRAM} ${ARG_ARGS})
  set_tests_properties(races_${name} PROPERTIES LABELS races TIMEOUT 300 ENVIRONMENT "TSAN_OPTIONS=halt_on_error=1;${ARG_ENVIRONMENT}")
endfunction()

# Generated messages and stubs of one .proto, in a target of its own without our warnings.
function(korder_proto name proto)
  get_filename_component(dir ${proto} DIRECTORY)
  get_filename_component(base ${proto} NAME_WE)
  set(out ${CMAKE_BINARY_DIR}/proto)
  set(generated ${out}/${dir}/${base}.pb.cc ${out}/${dir}/${base}.grpc.pb.cc)
  set(headers ${out}/${dir}/${base}.pb.h ${out}/${dir}/${base}.grpc.pb.h)
  add_custom_command(
    OUTPUT ${generated} ${headers}
    COMMAND ${CMAKE_COMMAND} -E make_directory ${out}
    COMMAND protobuf::protoc -I ${CMAKE_SOURCE_DIR}/proto --cpp_out=${out} --grpc_out=${out}
            --plugin=protoc-gen-grpc=$<TARGET_FILE:gRPC::grpc_cpp_plugin> ${proto}
    DEPENDS ${CMAKE_SOURCE_DIR}/proto/${proto}
    WORKING_DIRECTORY ${CMAKE_SOURCE_DIR}/proto
    COMMENT "protoc ${proto}")
  add_library(korder_proto_${name} STATIC ${generated} ${headers})
  target_include_directories(korder_proto_${name} SYSTEM PUBLIC ${out})
  target_link_libraries(korder_proto_${name} PUBLIC protobuf::libprotobuf gRPC::grpc++)
endfunction()

# Puts a program that ships into bin, and beside it the list of the archives that are in it, whose packages
# deploy/images/rootfs names.
function(korder_program name)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
  target_link_options(${name} PRIVATE LINKER:--dependency-file=$<TARGET_FILE:${name}>.inputs)
endfunction()

# A service = a library with everything but main (so that tests link it) + one executable.
# The library is korder_<name with underscores>; includes are written "<name>/file.h".
function(korder_service name)
  cmake_parse_arguments(ARG "" "MAIN" "SOURCES;DEPS" ${ARGN})
  string(REPLACE "-" "_" lib korder_${name})
  add_library(${lib} STATIC ${ARG_SOURCES})
  target_include_directories(${lib} PUBLIC ${CMAKE_SOURCE_DIR}/services)
  target_link_libraries(${lib} PUBLIC ${ARG_DEPS} PRIVATE korder_flags)
  add_executable(${name} ${ARG_MAIN})
  target_link_libraries(${name} PRIVATE ${lib} korder_flags)
  korder_program(${name})
endfunction()

add_library(korder_catch_main STATIC ${CMAKE_SOURCE_DIR}/tests/support/catch_main.cc)
target_link_libraries(korder_catch_main PUBLIC Catch2::Catch2)
