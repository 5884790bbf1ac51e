# Writes OUT.hpp and OUT.cpp with the contents of INPUTS as a table {name, bytes}, sorted by name.
set(body "")
set(index 0)
set(table "")
foreach(file ${INPUTS})
    file(READ ${file} hex HEX)
    get_filename_component(name ${file} NAME)
    string(REGEX REPLACE "(..)" "'\\\\x\\1'," bytes "${hex}")
    string(APPEND body "constexpr char kFile${index}[] = {${bytes}'\\0'};\n")
    string(APPEND table "    {\"${name}\", {kFile${index}, sizeof kFile${index} - 1}},\n")
    math(EXPR index "${index} + 1")
endforeach()
file(WRITE ${OUT}.hpp "#pragma once
#include <span>
#include <string_view>
namespace ${NAMESPACE} {
struct EmbeddedFile {
    std::string_view name;
    std::string_view bytes;
};
std::span<const EmbeddedFile> embedded_files();
}  // namespace ${NAMESPACE}
")
file(WRITE ${OUT}.cpp "#include \"${HEADER}\"
namespace ${NAMESPACE} {
namespace {
${body}constexpr EmbeddedFile kFiles[] = {
${table}};
}  // namespace
std::span<const EmbeddedFile> embedded_files() { return kFiles; }
}  // namespace ${NAMESPACE}
")
