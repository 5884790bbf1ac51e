# One folder of src/ is one library, and it sees only the folders that it links: each folder's headers lie in an
# include directory of their own (a link in the build tree), so that an include that points up does not build.

# agentdb9_library(NAME SOURCES a.cpp … LINK folder-or-library … PRIVATE_LINK library …)
# Headers are included as "NAME/file.hpp".
function(agentdb9_library name)
    cmake_parse_arguments(arg "" "" "SOURCES;LINK;PRIVATE_LINK" ${ARGN})
    set(include_root ${PROJECT_BINARY_DIR}/include/${name})
    file(MAKE_DIRECTORY ${include_root})
    file(CREATE_LINK ${CMAKE_CURRENT_SOURCE_DIR} ${include_root}/${name} SYMBOLIC)
    add_library(agentdb9_${name} STATIC ${arg_SOURCES})
    target_include_directories(agentdb9_${name} PUBLIC ${include_root})
    target_link_libraries(agentdb9_${name} PUBLIC ${arg_LINK} PRIVATE ${arg_PRIVATE_LINK})
    target_precompile_headers(agentdb9_${name} REUSE_FROM agentdb9_boost)
endfunction()

# agentdb9_embed(TARGET NAMESPACE file…): each file becomes `extern const std::string_view NAME` in a header
# embedded_<target>.hpp, so that the program needs no files beside itself. The generator is cmake/embed.cmake.
function(agentdb9_embed target header namespace)
    set(out ${CMAKE_CURRENT_BINARY_DIR}/embedded)
    set(inputs)
    foreach(file ${ARGN})
        cmake_path(ABSOLUTE_PATH file BASE_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR})
        list(APPEND inputs ${file})
    endforeach()
    add_custom_command(
        OUTPUT ${out}/${header}.cpp ${out}/${header}.hpp
        COMMAND ${CMAKE_COMMAND} -D "INPUTS=${inputs}" -D OUT=${out}/${header} -D HEADER=${header}.hpp
                -D NAMESPACE=${namespace} -P ${PROJECT_SOURCE_DIR}/cmake/embed.cmake
        DEPENDS ${inputs} ${PROJECT_SOURCE_DIR}/cmake/embed.cmake
        VERBATIM)
    target_sources(${target} PRIVATE ${out}/${header}.cpp ${out}/${header}.hpp)
    target_include_directories(${target} PRIVATE ${out})
endfunction()

# agentdb9_test(NAME SOURCES a_test.cpp … LINK folder-or-library …): one GoogleTest program, run by scripts/test.
function(agentdb9_test name)
    cmake_parse_arguments(arg "" "" "SOURCES;LINK" ${ARGN})
    add_executable(${name} ${arg_SOURCES})
    target_link_libraries(${name} PRIVATE ${arg_LINK} GTest::gmock GTest::gtest GTest::gtest_main)
    target_precompile_headers(${name} REUSE_FROM agentdb9_boost)
    set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests)
    add_test(NAME ${name} COMMAND ${name})
endfunction()
