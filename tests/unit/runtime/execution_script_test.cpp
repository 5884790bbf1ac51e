#include "runtime/docker/execution_script.hpp"

#include <gmock/gmock.h>

#include "runtime/docker/log_frames.hpp"

namespace agentdb9::runtime::docker {
namespace {

using testing::ElementsAre;
using testing::SizeIs;

TEST(WrappedCommand, PassesDirectoryAndWordsAsTheyAre) {
    const auto words =
        wrapped_command({.command = {"a b", "$(x)", ""}, .directory = "/d e", .environment = {}});
    ASSERT_THAT(words, SizeIs(8));
    EXPECT_EQ(words[0], "/bin/sh");
    EXPECT_THAT(std::vector(words.begin() + 4, words.end()), ElementsAre("/d e", "a b", "$(x)", ""));
}

TEST(Beginning, IsANumberOrAReason) {
    EXPECT_EQ(read_beginning("42").session, "42");
    EXPECT_EQ(read_beginning("42\r").session, "42") << "from a terminal";
    EXPECT_TRUE(read_beginning("cwd").no_directory);
    for (const auto* line : {"", "x", "4 2", "-1", "OCI runtime exec failed: exec failed"}) {
        EXPECT_EQ(read_beginning(line).session, "") << line;
        EXPECT_FALSE(read_beginning(line).no_directory) << line;
    }
}

TEST(Beginning, KnowsAnImageWithoutShell) {
    // runc 1.1 and before.
    EXPECT_TRUE(says_no_shell(
        R"(OCI runtime exec failed: exec failed: unable to start container process: exec: "/bin/sh": stat /bin/sh: no such file or directory: unknown)"));
    EXPECT_FALSE(
        says_no_shell("OCI runtime exec failed: exec failed: cannot exec in a stopped container: unknown"));
}

std::string frame(char stream, std::string_view text) {
    std::string out{stream, 0, 0, 0};
    for (int shift = 24; shift >= 0; shift -= 8)
        out += static_cast<char>(text.size() >> shift);
    return out + std::string(text);
}

TEST(FrameSplitter, KeepsTheStreamsApartWhereverTheBytesAreCut) {
    const std::string long_text(70'000, 'x');
    const auto bytes =
        frame(1, "one") + frame(2, "two") + frame(2, "") + frame(1, long_text) + frame(2, "end");
    for (const std::size_t piece : {1UL, 2UL, 3UL, 7UL, 8UL, 9UL, 4096UL, bytes.size()}) {
        FrameSplitter splitter;
        std::string out;
        std::string err;
        for (std::size_t at = 0; at < bytes.size(); at += piece) {
            auto rest = std::string_view(bytes).substr(at, piece);
            while (!rest.empty()) {
                const auto part = splitter.take(rest);
                ASSERT_GT(part.used, 0U);
                (part.stream == OutputStream::kStderr ? err : out) += part.text;
                rest.remove_prefix(part.used);
            }
        }
        EXPECT_EQ(out, "one" + long_text) << piece;
        EXPECT_EQ(err, "twoend") << piece;
    }
}

}  // namespace
}  // namespace agentdb9::runtime::docker
