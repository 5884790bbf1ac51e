// The committed corpora and random mutations of them, through the functions that the fuzzers call: what they
// found once stays found, in the ordinary test run and without libFuzzer.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include "support/mutation.hpp"
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
    return test::read_files(std::filesystem::path(AGENTDB9_CORPUS) / name);
}

class Replay : public testing::TestWithParam<Target> {
  protected:
    void run(const std::string& input) {
        try {
            GetParam().run(input);
        } catch (const Broken& broken) {
            ADD_FAILURE() << broken.what() << "\ninput: " << test::escaped(input)
                          << "\nAGENTDB9_SEED=" << seed();
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
    test::Random random(seed());
    for (const auto& input : inputs)
        for (int i = 0; i < kMutationsPerInput && !HasFailure(); ++i)
            run(test::mutated(input, inputs, random));
}

INSTANTIATE_TEST_SUITE_P(Targets, Replay, testing::ValuesIn(targets().begin(), targets().end()),
                         [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace agentdb9::fuzz
