#include "runtime/docker/log_frames.hpp"

#include <gmock/gmock.h>

namespace agentdb9::runtime::docker {
namespace {

std::string frame(char stream, std::string_view text) {
    std::string out{stream, 0, 0, 0};
    for (int shift = 24; shift >= 0; shift -= 8)
        out += static_cast<char>(text.size() >> shift);
    return out + std::string(text);
}

TEST(LogFrames, JoinsBothStreamsInTheOrderOfTheirFrames) {
    EXPECT_EQ(decode_log(frame(1, "one\n") + frame(2, "two\n") + frame(1, "three\n")), "one\ntwo\nthree\n");
}

TEST(LogFrames, ReadsLengthsOfMoreThanOneByte) {
    const std::string text(70000, 'x');
    EXPECT_EQ(decode_log(frame(1, text) + frame(2, "end")), text + "end");
}

TEST(LogFrames, LeavesTheOutputOfATerminalAsItIs) {
    EXPECT_EQ(decode_log("plain text\r\n"), "plain text\r\n");
    EXPECT_EQ(decode_log(""), "");
    EXPECT_EQ(decode_log("short"), "short");
    EXPECT_EQ(decode_log(std::string("\3\0\0\0\0\0\0\1x", 9)), std::string("\3\0\0\0\0\0\0\1x", 9));
    EXPECT_EQ(decode_log("\xff\xfe binary"), "\xff\xfe binary");
}

TEST(LogFrames, AllowsEmptyFramesAndAnyBytesInThem) {
    const std::string bytes("\0\1\2\xff", 4);
    EXPECT_EQ(decode_log(frame(1, "") + frame(0, bytes)), bytes);
}

TEST(LogFrames, GivesTheWholeFramesOfWhatWasCutAtAnyByte) {
    const auto whole = frame(1, "first\n") + frame(2, "second\n");
    const auto first = frame(1, "first\n").size();
    for (std::size_t size = 8; size < whole.size(); ++size)
        EXPECT_EQ(decode_log(whole.substr(0, size)), size < first ? "" : "first\n") << size;
}

TEST(LogFrames, StopsAtALengthBeyondTheEnd) {
    EXPECT_EQ(decode_log(frame(1, "ok\n") + std::string("\1\0\0\0\xff\xff\xff\xff", 8) + "rest"), "ok\n");
}

}  // namespace
}  // namespace agentdb9::runtime::docker
