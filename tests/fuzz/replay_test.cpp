// The committed corpora and random mutations of them, through the functions that the fuzzers call: what they
// found once stays found, in the ordinary test run and without libFuzzer.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include "targets.hpp"

namespace agentdb9::fuzz {
namespace {

constexpr int kMutationsPerInput = 2000;

// AGENTDB9_SEED repeats a run that failed.
std::uint64_t seed() {
    static const std::uint64_t value = [] {
        const char* given = std::getenv("AGENTDB9_SEED");
        return given ? std::strtoull(given, nullptr, 10) : std::uint64_t{std::random_device{}()};
    }();
    return value;
}

std::vector<std::string> corpus(std::string_view name) {
    std::vector<std::filesystem::path> files;
    for (const auto& entry :
         std::filesystem::directory_iterator(std::filesystem::path(AGENTDB9_CORPUS) / name))
        files.push_back(entry.path());
    std::ranges::sort(files);
    std::vector<std::string> inputs;
    for (const auto& file : files) {
        std::ifstream in(file, std::ios::binary);
        inputs.emplace_back(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
    }
    return inputs;
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

// A few edits: bytes changed, parts taken out, doubled, moved or taken from another input.
std::string mutated(std::string text, const std::vector<std::string>& inputs, std::mt19937_64& random) {
    auto below = [&](std::size_t limit) {
        return static_cast<std::size_t>(random() % std::max<std::size_t>(limit, 1));
    };
    constexpr std::string_view kTelling = "\r\n\t :;,=/.%0\x00\x7f\xff\\-\"chunked";
    for (std::size_t edits = 1 + below(4); edits > 0; --edits) {
        auto at = below(text.size() + 1);
        auto size = below(std::min<std::size_t>(text.size() - at, 16) + 1);
        switch (below(6)) {
            case 0:
                if (at < text.size()) text[at] = static_cast<char>(random());
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
                text.insert(at, inputs[below(inputs.size())].substr(0, below(40)));
                break;
            default:
                if (at < text.size()) text[at] = kTelling[below(kTelling.size())];
        }
    }
    return text;
}

class Replay : public testing::TestWithParam<Target> {
  protected:
    void run(const std::string& input) {
        try {
            GetParam().run(input);
        } catch (const Broken& broken) {
            ADD_FAILURE() << broken.what() << "\ninput: " << escaped(input) << "\nAGENTDB9_SEED=" << seed();
        }
    }
};

TEST_P(Replay, TheCorpusHolds) {
    auto inputs = corpus(GetParam().name);
    ASSERT_FALSE(inputs.empty());
    for (const auto& input : inputs)
        run(input);
    run("");
}

TEST_P(Replay, MutationsOfItHold) {
    auto inputs = corpus(GetParam().name);
    std::mt19937_64 random(seed());
    for (const auto& input : inputs)
        for (int i = 0; i < kMutationsPerInput && !HasFailure(); ++i)
            run(mutated(input, inputs, random));
}

INSTANTIATE_TEST_SUITE_P(Targets, Replay, testing::ValuesIn(targets().begin(), targets().end()),
                         [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace agentdb9::fuzz
