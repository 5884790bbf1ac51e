# Compiler, language, warnings, sanitizers, linker and compiler cache: the same for every target.

if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang" OR CMAKE_CXX_COMPILER_VERSION VERSION_LESS 19)
    message(FATAL_ERROR
        "AgentDB9 is built with clang 19 or newer (g++ 12 miscompiles coroutines). "
        "Install clang-19 and use a preset: cmake --preset release")
endif()

set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_C_STANDARD 17)

option(AGENTDB9_TESTS "Build the tests" OFF)
option(AGENTDB9_FUZZ "Build the fuzz targets" OFF)
set(AGENTDB9_SANITIZE "" CACHE STRING "Value for -fsanitize=, empty for none")

find_program(CCACHE ccache)
if(CCACHE)
    # Paths below the project count as relative to it.
    set(launcher ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${PROJECT_SOURCE_DIR} CCACHE_NOHASHDIR=1
        CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime ${CCACHE})
    set(CMAKE_CXX_COMPILER_LAUNCHER ${launcher})
    set(CMAKE_C_COMPILER_LAUNCHER ${launcher})
endif()

add_compile_options(
    -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wnon-virtual-dtor
    -Woverloaded-virtual -Wno-missing-designated-field-initializers -Werror -fno-omit-frame-pointer)
# A precompiled header with a time stamp in it would never be found in the compiler cache.
add_compile_options("SHELL:-Xclang -fno-pch-timestamp")
if(CMAKE_BUILD_TYPE STREQUAL "Debug")
    add_compile_options(-gline-tables-only -O1)
endif()
if(AGENTDB9_SANITIZE)
    add_compile_options(-fsanitize=${AGENTDB9_SANITIZE} -fno-sanitize-recover=all -g1)
    add_link_options(-fsanitize=${AGENTDB9_SANITIZE})
else()
    add_compile_definitions(_FORTIFY_SOURCE=2)
    add_compile_options(-fstack-protector-strong)
    if(CMAKE_BUILD_TYPE STREQUAL "Debug")
        remove_definitions(-D_FORTIFY_SOURCE=2)
    endif()
endif()
add_link_options(-fuse-ld=lld)
# What is shipped is optimised across its files. The libraries then hold what only the compiler's own archiver can
# read (llvm-ar); a folder that was configured without it goes on without.
if(CMAKE_BUILD_TYPE STREQUAL "Release" AND NOT AGENTDB9_SANITIZE AND CMAKE_CXX_COMPILER_AR AND CMAKE_C_COMPILER_AR)
    set(CMAKE_INTERPROCEDURAL_OPTIMIZATION ON)
endif()
