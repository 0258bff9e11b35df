# Warning and hardening flags for our own targets; generated code does not get them.
# Designated initializers name what differs from the defaults: leaving the rest out is the point.
add_library(korder_flags INTERFACE)
target_compile_options(korder_flags INTERFACE -Wall -Wextra -Wshadow -Wconversion -Wsign-conversion
                       -Wnon-virtual-dtor -Woverloaded-virtual -Wno-missing-field-initializers
                       -Werror)
if(CMAKE_CXX_COMPILER_ID MATCHES Clang)
  target_compile_options(korder_flags INTERFACE -Wthread-safety)
endif()

# GCC 12 takes members of moved-from and empty std::variant and std::optional for uninitialized when it
# optimises. The Debug build keeps the warning.
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND NOT CMAKE_BUILD_TYPE STREQUAL "Debug")
  target_compile_options(korder_flags INTERFACE -Wno-maybe-uninitialized)
endif()

# Hardening is global on purpose: the generated code runs in the same process.
add_compile_options(-fstack-protector-strong)
if(CMAKE_BUILD_TYPE STREQUAL "RelWithDebInfo")
  add_compile_options(-D_FORTIFY_SOURCE=2 -fstack-clash-protection)
endif()
if(CMAKE_BUILD_TYPE STREQUAL "Debug")
  add_compile_definitions(_GLIBCXX_ASSERTIONS)
endif()
include(CheckPIESupported)
check_pie_supported()
add_link_options(-Wl,-z,relro,-z,now)
