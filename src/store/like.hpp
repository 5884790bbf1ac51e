// Patterns of LIKE … ESCAPE '\'. Pure; any thread.
#pragma once

#include <string>

namespace agentdb9::store {

// What is looked for stands for nothing else.
inline std::string literally(const std::string& text) {
    std::string escaped;
    for (const char c : text) {
        if (c == '\\' || c == '%' || c == '_') escaped += '\\';
        escaped += c;
    }
    return escaped;
}

}  // namespace agentdb9::store
