# KORDER_SANITIZE is a list for -fsanitize=, or empty.
set(KORDER_SANITIZE "" CACHE STRING "Sanitizers, for instance address,undefined or thread")
if(KORDER_SANITIZE)
  add_compile_options(-fsanitize=${KORDER_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${KORDER_SANITIZE})
  if(KORDER_SANITIZE MATCHES thread)
    add_compile_options(-Wno-tsan)  # Asio uses fences that TSan does not model; GCC only warns about them.
  endif()
endif()
