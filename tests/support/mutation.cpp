#include "support/mutation.hpp"

#include <algorithm>
#include <fstream>

namespace agentdb9::test {

std::vector<std::string> read_files(const std::filesystem::path& directory) {
    std::vector<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::directory_iterator(directory))
        files.push_back(entry.path());
    std::ranges::sort(files);
    std::vector<std::string> inputs;
    for (const auto& file : files) {
        std::ifstream in(file, std::ios::binary);
        inputs.emplace_back(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
    }
    return inputs;
}

std::string mutated(std::string text, const std::vector<std::string>& others, Random& random) {
    using namespace std::string_view_literals;
    // With its length: the NUL is one of them.
    constexpr auto kTelling = "\r\n\t :;,=/.%0\x00\x7f\xff\\-\"chunked"sv;
    const auto below = [&](std::size_t limit) { return random.below(std::max<std::size_t>(limit, 1)); };
    for (std::size_t edits = 1 + below(4); edits > 0; --edits) {
        const auto at = below(text.size() + 1);
        const auto size = below(std::min<std::size_t>(text.size() - at, 16) + 1);
        switch (below(6)) {
            case 0:
                if (at < text.size()) text[at] = static_cast<char>(random.next());
                break;
            case 1:
                text.insert(at, 1, kTelling[below(kTelling.size())]);
                break;
            case 2:
                text.erase(at, size);
                break;
            case 3:
                text.insert(below(text.size()), text.substr(at, size));
                break;
            case 4:
                text.insert(at, others[below(others.size())].substr(0, below(40)));
                break;
            default:
                if (at < text.size()) text[at] = kTelling[below(kTelling.size())];
        }
    }
    return text;
}

std::string escaped(std::string_view bytes) {
    std::string text;
    constexpr char kDigits[] = "0123456789abcdef";
    for (char c : bytes) {
        auto byte = static_cast<unsigned char>(c);
        if (byte >= 0x20 && byte < 0x7f && c != '\\')
            text += c;
        else
            text.append("\\x").append(1, kDigits[byte >> 4]).append(1, kDigits[byte & 15]);
    }
    return text;
}

}  // namespace agentdb9::test
