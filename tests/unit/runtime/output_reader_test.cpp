#include "runtime/docker/output_reader.hpp"

#include <gmock/gmock.h>

namespace agentdb9::runtime::docker {
namespace {

constexpr std::int64_t kFirst = 1'795'955'884'557'846'721;  // 2026-11-29T12:38:04.557846721Z
constexpr std::string_view kFirstText = "2026-11-29T12:38:04.557846721Z ";

std::string frame(char stream, std::string_view text) {
    std::string out{stream, 0, 0, 0};
    for (int shift = 24; shift >= 0; shift -= 8)
        out += static_cast<char>(text.size() >> shift);
    return out + std::string(text);
}

std::string entry(char stream, std::string_view text, std::string_view time = kFirstText) {
    return frame(stream, std::string(time) + std::string(text));
}

std::vector<OutputLine> lines_of(std::string_view bytes, std::size_t piece = std::string_view::npos) {
    std::vector<OutputLine> lines;
    OutputReader reader([&](OutputLine line) { lines.push_back(std::move(line)); });
    for (; !bytes.empty(); bytes.remove_prefix(std::min(piece, bytes.size())))
        reader.push(bytes.substr(0, piece));
    reader.finish();
    return lines;
}

std::vector<std::string> texts_of(std::string_view bytes) {
    std::vector<std::string> texts;
    for (const auto& line : lines_of(bytes))
        texts.push_back(line.text);
    return texts;
}

TEST(OutputReader, ReadsTimesStreamsAndTexts) {
    const auto lines = lines_of(entry(1, "hello\n") + entry(2, "no \n", "2026-11-29T12:38:05.000000001Z "));
    ASSERT_EQ(lines.size(), 2U);
    EXPECT_EQ(lines[0].at_ns, kFirst);
    EXPECT_EQ(lines[0].stream, OutputStream::kStdout);
    EXPECT_EQ(lines[0].text, "hello");
    EXPECT_EQ(lines[1].at_ns, kFirst / 1'000'000'000 * 1'000'000'000 + 1'000'000'001);
    EXPECT_EQ(lines[1].stream, OutputStream::kStderr);
    EXPECT_EQ(lines[1].text, "no ");
}

TEST(OutputReader, ReadsTheSameHoweverTheBytesAreCut) {
    const auto bytes = entry(1, "first line\n") + entry(2, "half ") + entry(1, "between\n") +
                       entry(2, "a line\n") + entry(1, "\n") + entry(1, "no end");
    const auto whole = texts_of(bytes);
    EXPECT_THAT(whole, testing::ElementsAre("first line", "between", "half a line", "", "no end"));
    for (std::size_t piece = 1; piece < bytes.size(); ++piece) {
        std::vector<std::string> texts;
        for (const auto& line : lines_of(bytes, piece))
            texts.push_back(line.text);
        EXPECT_EQ(texts, whole) << piece;
    }
}

TEST(OutputReader, JoinsThePiecesOfALongLineUnderTheTimeOfTheFirst) {
    const auto lines = lines_of(entry(1, std::string(16384, 'x')) +
                                entry(1, std::string(16384, 'y'), "2026-11-29T12:38:09.000000000Z ") +
                                entry(1, "z\n", "2026-11-29T12:38:09.000000000Z "));
    ASSERT_EQ(lines.size(), 1U);
    EXPECT_EQ(lines[0].text, std::string(16384, 'x') + std::string(16384, 'y') + "z");
    EXPECT_EQ(lines[0].at_ns, kFirst);
    EXPECT_FALSE(lines[0].cut);
}

TEST(OutputReader, KeepsABoundedPartOfALineWithoutEnd) {
    std::vector<OutputLine> lines;
    OutputReader reader([&](OutputLine line) { lines.push_back(std::move(line)); });
    for (int i = 0; i < 1000; ++i)
        reader.push(entry(1, std::string(16384, 'x')));
    reader.push(entry(1, "\n") + entry(1, "next\n"));
    ASSERT_EQ(lines.size(), 2U);
    EXPECT_EQ(lines[0].text.size(), kLongestLine);
    EXPECT_TRUE(lines[0].cut);
    EXPECT_EQ(lines[1].text, "next");
    EXPECT_FALSE(lines[1].cut);
}

TEST(OutputReader, ReadsATerminalsOutputWithoutFrames) {
    const auto text = std::string(kFirstText) + "one\r\n" + std::string(kFirstText) + "two\r\n";
    const auto lines = lines_of(text, 7);
    ASSERT_EQ(lines.size(), 2U);
    EXPECT_EQ(lines[0].text, "one");
    EXPECT_EQ(lines[1].text, "two");
    EXPECT_EQ(lines[1].at_ns, kFirst);
    EXPECT_EQ(lines[1].stream, OutputStream::kStdout);
}

TEST(OutputReader, TakesAnyBytesAndGivesText) {
    EXPECT_THAT(texts_of(entry(1, std::string("a\0b\xff\x1b[31mc\x7f\td\n", 14))),
                testing::ElementsAre("ab\xEF\xBF\xBD\x1b[31mc\td"));
    EXPECT_THAT(texts_of(frame(1, "no time at all\n")), testing::ElementsAre("no time at all"));
    EXPECT_THAT(texts_of(frame(1, std::string(100, 'x'))), testing::SizeIs(1));
    EXPECT_THAT(texts_of(frame(1, "")), testing::IsEmpty());
    EXPECT_THAT(texts_of(""), testing::IsEmpty());
    EXPECT_THAT(texts_of(std::string_view("\1\0\0\0\xff\xff\xff\xff", 8)), testing::IsEmpty());
}

TEST(AsUtf8, LeavesCharactersAndReplacesWhatIsNone) {
    EXPECT_EQ(as_utf8("Grüße, 世界 🙂"), "Grüße, 世界 🙂");
    for (const std::string_view bad :
         {"\xC0\xAF", "\xED\xA0\x80", "\xF5\x80\x80\x80", "\xE2\x82", "\x80", "\xF0\x80\x80\x80"}) {
        const auto out = as_utf8(bad);
        EXPECT_TRUE(out.starts_with("\xEF\xBF\xBD")) << out;
        EXPECT_EQ(out.size(), 3 * bad.size());
    }
}

TEST(ReadNanoseconds, ReadsTheEnginesTimesOnly) {
    EXPECT_EQ(read_nanoseconds("2026-11-29T12:38:04.557846721Z"), kFirst);
    EXPECT_EQ(read_nanoseconds("2026-11-29T12:38:04.5Z"),
              kFirst / 1'000'000'000 * 1'000'000'000 + 500'000'000);
    EXPECT_EQ(read_nanoseconds("1970-01-01T00:00:00Z"), 0);
    for (const std::string_view bad :
         {"", "Z", "2026-11-29T12:38:04", "2026-11-29T12:38:04.Z", "2026-13-29T12:38:04Z",
          "2026-11-29T12:38:04.1234567890Z", "2026-11-29T12:38:04.-1Z", "x026-11-29T12:38:04Z",
          "0001-01-01T00:00:00Z", "9999-01-01T00:00:00Z"})
        EXPECT_FALSE(read_nanoseconds(bad)) << bad;
    EXPECT_EQ(since_text(kFirst), "1795955884.557846721");
    EXPECT_EQ(since_text(1'000'000'001), "1.000000001");
}

}  // namespace
}  // namespace agentdb9::runtime::docker
