// What a request for a command may be, and how its output is told.
#include <gmock/gmock.h>

#include "api/command_text.hpp"

namespace agentdb9::api {
namespace {

using runtime::OutputStream;
using testing::ElementsAre;
using testing::Pair;

CommandBody command(std::string_view text) {
    Body body(json::parse(json::string_view(text.data(), text.size())).as_object());
    return read_command(body, {.per_workspace = 1,
                               .per_user = 1,
                               .default_time = std::chrono::seconds(60),
                               .longest_time = std::chrono::seconds(600)});
}

std::string wrong_field(std::string_view text) {
    try {
        command(text);
    } catch (const base::Error& error) {
        EXPECT_EQ(error.word(), "invalid_field");
        return error.fields().empty() ? "?" : error.fields().front().field;
    }
    return "";
}

TEST(CommandBody, ReadsWhatIsAskedFor) {
    const auto line = command(R"({"command":"ls | wc"})");
    EXPECT_THAT(line.request.spec.command, ElementsAre("/bin/sh", "-c", "ls | wc"));
    EXPECT_EQ(line.request.spec.directory, "/workspace");
    EXPECT_EQ(line.request.time_limit, std::chrono::seconds(60));
    EXPECT_FALSE(line.request.spec.input);
    const auto words = command(
        R"({"command":["a",""],"cwd":"b/c","env":{"A_1":"=x"},"timeoutSeconds":600,"stdinBase64":"/w==","encoding":"base64"})");
    EXPECT_THAT(words.request.spec.command, ElementsAre("a", ""));
    EXPECT_EQ(words.request.spec.directory, "/workspace/b/c");
    EXPECT_THAT(words.request.spec.environment, ElementsAre(Pair("A_1", "=x")));
    EXPECT_EQ(words.request.time_limit, std::chrono::seconds(600));
    EXPECT_TRUE(words.request.spec.input);
    EXPECT_EQ(words.request.input, "\xff");
    EXPECT_EQ(words.encoding, CommandEncoding::kBase64);
    EXPECT_TRUE(command(R"({"command":"a","stdin":""})").request.spec.input)
        << "an end at once is input, too";
}

TEST(CommandBody, RefusesWhatCannotBe) {
    EXPECT_EQ(wrong_field(R"({})"), "command");
    EXPECT_EQ(wrong_field(R"({"command":[]})"), "command");
    EXPECT_EQ(wrong_field(R"({"command":["a",1]})"), "command");
    EXPECT_EQ(wrong_field(R"({"command":"a\u0000"})"), "command");
    EXPECT_EQ(wrong_field(R"({"command":"a","cwd":""})"), "cwd");
    EXPECT_EQ(wrong_field(R"({"command":"a","env":{"A B":"x"}})"), "env");
    EXPECT_EQ(wrong_field(R"({"command":"a","timeoutSeconds":601})"), "timeoutSeconds");
    EXPECT_EQ(wrong_field(R"({"command":"a","stdin":"a","stdinBase64":""})"), "stdinBase64");
    EXPECT_EQ(wrong_field(R"({"command":"a","tty":true})"), "tty");
}

TEST(CollectedOutput, CutsEachStreamAndCountsTheRest) {
    CollectedOutput output(4);
    output.add({OutputStream::kStdout, "abc"});
    output.add({OutputStream::kStderr, "x"});
    output.add({OutputStream::kStdout, "def"});
    services::CommandEnd end;
    end.exit_code = 0;
    EXPECT_FALSE(CollectedOutput(4).to_json(end, CommandEncoding::kText).at("truncated").as_bool());
    end.dropped_bytes = 5;
    const auto told = output.to_json(end, CommandEncoding::kText);
    EXPECT_EQ(told.at("stdout"), "abcd");
    EXPECT_EQ(told.at("stderr"), "x");
    EXPECT_EQ(told.at("truncated"), true);
    EXPECT_EQ(told.at("discardedBytes"), 7);
    EXPECT_EQ(output.to_json(end, CommandEncoding::kBase64).at("stdout"), "YWJjZA==");
}

TEST(StreamedOutput, CutsNoCharacter) {
    StreamedOutput output(CommandEncoding::kText);
    EXPECT_EQ(output.event({OutputStream::kStdout, "\xC3"}), "");
    EXPECT_EQ(output.event({OutputStream::kStderr, "e"}), "event: stderr\ndata: {\"data\":\"e\"}\n\n");
    EXPECT_EQ(output.event({OutputStream::kStdout, "\xBC!\xE6"}),
              "event: stdout\ndata: {\"data\":\"\xC3\xBC!\"}\n\n");
    const auto last = output.last(services::CommandEnd());
    EXPECT_THAT(last,
                testing::StartsWith("event: stdout\ndata: {\"data\":\"\xEF\xBF\xBD\"}\n\nevent: exit\n"));
    StreamedOutput raw(CommandEncoding::kBase64);
    EXPECT_EQ(raw.event({OutputStream::kStdout, "\xC3"}), "event: stdout\ndata: {\"data\":\"ww==\"}\n\n");
}

}  // namespace
}  // namespace agentdb9::api
