// What is said to a person: answers and failures, progress, names.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/client/api.hpp"
#include "cli/client/operation.hpp"
#include "cli/client/text.hpp"

namespace agentdb9::cli::client {
namespace {

using base::ErrorCode;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr auto kUrl = "https://work.example.org";

base::Error refusal(int status, const std::string& body, const std::string& location = {}) {
    try {
        read_answer(kUrl, {.status = status, .body = body, .location = location});
    } catch (const base::Error& error) {
        return error;
    }
    ADD_FAILURE() << status << " was taken";
    return {ErrorCode::kInternal, "taken", "taken"};
}

TEST(Answers, OfTheApiGiveTheirData) {
    const auto answer =
        read_answer(kUrl, {.status = 202, .body = R"({"success":true,"data":[1,2]})", .location = {}});
    EXPECT_EQ(answer.status, 202);
    EXPECT_EQ(answer.data().as_array().size(), 2U);
    EXPECT_TRUE(read_answer(kUrl, {.status = 200, .body = "{}", .location = {}}).data().is_null());
}

TEST(Answers, ThatRefuseKeepTheSentenceTheCodeAndTheRequest) {
    const auto error = refusal(
        404,
        R"({"error":"No workspace with this id exists.","code":"workspace_not_found","requestId":"ab-1"})");
    EXPECT_EQ(error.code(), ErrorCode::kNotFound);
    EXPECT_EQ(error.word(), "workspace_not_found");
    EXPECT_EQ(error.message(), "No workspace with this id exists. (request ab-1)");
    EXPECT_EQ(refusal(400, R"({"error":"x","code":"invalid"})").code(), ErrorCode::kInvalid);
    EXPECT_EQ(refusal(503, R"({"error":"x","code":"runtime_unavailable"})").code(), ErrorCode::kUnavailable);
    EXPECT_EQ(refusal(409, R"({"error":"x","code":"project_in_use"})").code(), ErrorCode::kConflict);
    EXPECT_THAT(refusal(409, "{\"error\":\"x\\u001b[2Jy\",\"code\":\"a\"}").message(),
                Not(HasSubstr("\x1b")));
}

TEST(Answers, OfSomethingElseSaySo) {
    EXPECT_THAT(refusal(200, "<html>").message(), HasSubstr("is no AgentDB9 server"));
    EXPECT_THAT(refusal(404, "{}").message(), HasSubstr("is no AgentDB9 server"));
    EXPECT_EQ(refusal(502, "<html>").code(), ErrorCode::kUnavailable);
    EXPECT_THAT(refusal(301, "", "https://other.example.org/").message(),
                HasSubstr("https://other.example.org/"));
}

TEST(Failures, NameTheAddressTheReasonAndTheWayOn) {
    using Kind = HttpFailure::Kind;
    for (const auto kind : {Kind::kUnreachable, Kind::kSilent, Kind::kCertificate, Kind::kOther}) {
        const auto error =
            failure_error(kUrl, {.kind = kind, .reason = "as it says"}, std::chrono::seconds(7));
        EXPECT_THAT(error.message(), AllOf(HasSubstr(kUrl), HasSubstr("agentdb9 login")));
        EXPECT_THAT(error.message(), HasSubstr(kind == Kind::kSilent ? "7 s" : "as it says"));
        EXPECT_TRUE(error.code() == ErrorCode::kUnavailable || error.code() == ErrorCode::kTimeout);
    }
    EXPECT_THAT(
        failure_error(kUrl, {.kind = Kind::kCertificate, .reason = {}}, std::chrono::seconds(7)).message(),
        HasSubstr("--cacert"));
}

TEST(Tokens, AreOneWord) {
    EXPECT_NO_THROW(check_token("adb9_abc-DEF", "it"));
    for (const std::string each : {"", "two words", "line\r\nX-Evil: 1", "caf\xc3\xa9"}) {
        try {
            check_token(each, "AGENTDB9_TOKEN");
            ADD_FAILURE() << each << " was taken";
        } catch (const base::Error& error) {
            EXPECT_THAT(error.message(), HasSubstr("AGENTDB9_TOKEN"));
            EXPECT_THAT(error.message(), Not(HasSubstr("Evil")));
        }
    }
}

TEST(ProgressLine, SaysWhatHowFarAndSinceWhen) {
    EXPECT_EQ(progress_line("Starting 'ed'", "pulling the image", 40, 12, 80),
              "Starting 'ed': pulling the image, 40 % (12 s)");
    EXPECT_EQ(progress_line("Starting 'ed'", "", std::nullopt, 0, 80), "Starting 'ed' (0 s)");
    EXPECT_EQ(progress_line("Starting 'ed'", "done", 100, 1, 80), "Starting 'ed': done (1 s)");
}

TEST(ProgressLine, NeverWraps) {
    for (std::size_t columns = 8; columns < 40; ++columns) {
        const auto line = progress_line("Starting '\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9'",
                                        "a phase of many words", 40, 7, columns);
        std::size_t characters = 0;
        for (const char c : line)
            characters += (static_cast<unsigned char>(c) & 0xc0) != 0x80 ? 1 : 0;
        EXPECT_LT(characters, columns) << line;
        EXPECT_THAT(line, HasSubstr("(7 s)"));
    }
}

TEST(Printable, TakesWhatATerminalWouldObey) {
    EXPECT_EQ(printable("a\x1b[31mb\n\x7f"), "a?[31mb ?");
    EXPECT_EQ(printable("one\r\ntwo\tthree\r"), "one  two three?");
    EXPECT_EQ(printable_lines("one\r\ntwo\x1b\n\n"), "one \ntwo?");
    EXPECT_EQ(printable("caf\xc3\xa9 \xc2\xa7"), "caf\xc3\xa9 \xc2\xa7");
    EXPECT_EQ(printable("a\xc2\x9b"
                        "31m"),
              "a?31m");
}

TEST(ShellWord, IsQuotedWhereAShellWouldReadMore) {
    EXPECT_EQ(shell_word("editor-2"), "editor-2");
    EXPECT_EQ(shell_word("my editor"), "'my editor'");
    EXPECT_EQ(shell_word("it's"), "'it'\\''s'");
    EXPECT_EQ(shell_word("-x"), "'-x'");
    EXPECT_EQ(shell_word(""), "''");
}

}  // namespace
}  // namespace agentdb9::cli::client
