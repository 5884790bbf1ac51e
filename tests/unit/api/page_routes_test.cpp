#include "api/page_routes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <set>

#include "api/content_coding.hpp"
#include "base/error.hpp"
#include "page_files.hpp"
#include "support/run_task.hpp"

namespace agentdb9::api {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class PageRoutesTest : public testing::Test {
  protected:
    PageRoutesTest() {
        add_page_routes(router_, {.registration_open = true, .applications = [this] { return origin_; }});
    }

    http::Response get(std::string target,
                       std::initializer_list<std::pair<std::string_view, std::string_view>> headers = {}) {
        const auto match = router_.match("GET", target);
        EXPECT_EQ(match.kind, Router::Match::Kind::kFound) << target;
        EXPECT_EQ(match.endpoint->access, Access::kPublic) << target;
        http::Request request;
        request.method = "GET";
        request.target = std::move(target);
        request.headers.set("Host", "work.example:8000");
        for (const auto& [name, value] : headers)
            request.headers.set(name, value);
        Call call{request, match.parameters, std::nullopt};
        return test::run_task(match.endpoint->handler(call));
    }
    static std::string header(const http::Response& response, std::string_view name) {
        return std::string(response.headers.get(name).value_or("none"));
    }
    std::string policy_of(const http::Response& response) {
        return header(response, "Content-Security-Policy");
    }

    ApplicationsOrigin origin_{.secure = false, .url = {}, .port = 8001, .domain = {}};
    Router router_;
};

TEST_F(PageRoutesTest, ServesThePageAndWhateverItRefersTo) {
    const auto document = get("/");
    EXPECT_EQ(document.status, 200);
    EXPECT_EQ(header(document, "Content-Type"), "text/html; charset=utf-8");
    std::size_t referred = 0;
    for (const auto& file : page::files()) {
        if (!document.fixed_body.contains("\"" + std::string(file.path) + "\"")) continue;
        ++referred;
        EXPECT_FALSE(get(std::string(file.path)).fixed_body.empty()) << file.path;
    }
    EXPECT_GE(referred, 4U);  // its script, its style, the colours' script, its icon
}

TEST_F(PageRoutesTest, LetsNothingRunThatIsNotAFileOfIts) {
    for (const auto& file : page::files()) {
        const auto response = get(file.path == "/index.html" ? "/" : std::string(file.path));
        const auto policy = policy_of(response);
        EXPECT_THAT(policy, HasSubstr("default-src 'none'; script-src 'self'; style-src 'self'; "));
        EXPECT_THAT(policy, HasSubstr("connect-src 'self'; "));
        EXPECT_THAT(policy, HasSubstr("frame-ancestors 'none'; base-uri 'none'; form-action 'none'"));
        EXPECT_THAT(policy, Not(HasSubstr("unsafe")));
        EXPECT_EQ(header(response, "X-Content-Type-Options"), "nosniff");
        EXPECT_EQ(header(response, "Referrer-Policy"), "no-referrer");
        EXPECT_EQ(header(response, "Cross-Origin-Opener-Policy"), "same-origin");
    }
}

TEST_F(PageRoutesTest, FramesTheApplicationsOriginAlone) {
    EXPECT_THAT(policy_of(get("/")), HasSubstr("; frame-src http://work.example:8001; "));
    origin_ = {.secure = true, .url = {}, .port = 8443, .domain = {}};
    EXPECT_THAT(policy_of(get("/")), HasSubstr("; frame-src https://work.example:8443; "));
    origin_ = {.secure = false, .url = "https://apps.example", .port = 8001, .domain = {}};
    EXPECT_THAT(policy_of(get("/")), HasSubstr("; frame-src https://apps.example; "));
    origin_ = {.secure = false, .url = "https://apps.example:444", .port = 8001, .domain = "apps.example"};
    EXPECT_THAT(policy_of(get("/")), HasSubstr("; frame-src https://*.apps.example:444; "));
    // A Host that could say more than where: nothing is framed.
    origin_ = {.secure = false, .url = {}, .port = 8001, .domain = {}};
    EXPECT_THAT(policy_of(get("/", {{"Host", "a*'none'"}})), HasSubstr("; frame-src 'none'; "));
}

TEST_F(PageRoutesTest, AnswersThatACopyIsStillGood) {
    const auto first = get("/");
    const auto tag = header(first, "ETag");
    EXPECT_NE(tag, header(get("/favicon.svg"), "ETag"));
    EXPECT_EQ(header(first, "Cache-Control"), "no-cache");
    for (const auto& known : {tag, "\"other\", " + tag, "W/" + tag, std::string("*")}) {
        const auto again = get("/", {{"If-None-Match", known}});
        EXPECT_EQ(again.status, 304) << known;
        EXPECT_EQ(again.fixed_body, "");
        EXPECT_EQ(header(again, "ETag"), tag);
        EXPECT_EQ(header(again, "Vary"), "Accept-Encoding");
    }
    EXPECT_EQ(get("/", {{"If-None-Match", "\"other\""}}).status, 200);
}

TEST_F(PageRoutesTest, KeepsForEverWhatChangesItsNameAndNothingElse) {
    std::set<bool> kinds;
    for (const auto& file : page::files()) {
        const auto response = get(file.path == "/index.html" ? "/" : std::string(file.path));
        EXPECT_EQ(file.hashed, file.path.starts_with("/assets/")) << file.path;
        EXPECT_EQ(header(response, "Cache-Control"),
                  file.hashed ? "public, max-age=31536000, immutable" : "no-cache");
        kinds.insert(file.hashed);
    }
    EXPECT_EQ(kinds.size(), 2U);
}

TEST_F(PageRoutesTest, SendsTheSmallestThatTheClientTakesAndTagsEachApart) {
    std::set<std::string> tags;
    std::size_t before = 0;
    for (const auto& [accepted, coding] : {std::pair("br, gzip", "br"), std::pair("gzip", "gzip"),
                                           std::pair("identity", "none"), std::pair("", "none")}) {
        const auto response = get("/", {{"Accept-Encoding", accepted}});
        EXPECT_EQ(header(response, "Content-Encoding"), coding) << accepted;
        EXPECT_EQ(header(response, "Vary"), "Accept-Encoding");
        EXPECT_GE(response.fixed_body.size(), before);
        before = response.fixed_body.size();
        tags.insert(header(response, "ETag"));
    }
    EXPECT_EQ(tags.size(), 3U);
    EXPECT_THAT(get("/").fixed_body, StartsWith("<!doctype html>"));
    // A copy of another coding is no copy of this one.
    EXPECT_EQ(get("/", {{"Accept-Encoding", "gzip"}, {"If-None-Match", header(get("/"), "ETag")}}).status,
              200);
}

TEST_F(PageRoutesTest, AnswersItsOwnAddressesToABrowserThatGoesThereAndToNobodyElse) {
    const auto body = get("/").fixed_body;
    constexpr std::string_view kBrowser = "text/html,application/xhtml+xml,*/*;q=0.8";
    for (const std::string path :
         {"/workspaces", "/workspaces/7f/logs", "/projects/x", "/trash", "/account", "/admin/audit"}) {
        EXPECT_EQ(get(path, {{"Accept", kBrowser}}).fixed_body, body) << path;
        EXPECT_EQ(header(get(path, {{"Accept", kBrowser}}), "Cache-Control"), "no-cache");
        for (const std::string_view accept : {"", "*/*", "application/json"}) {
            try {
                get(path, {{"Accept", accept}});
                ADD_FAILURE() << path << " for " << accept;
            } catch (const base::Error& error) {
                EXPECT_EQ(error.code(), base::ErrorCode::kNotFound);
            }
        }
    }
    for (const std::string path : {"/api", "/api/nothing", "/health", "/metrics", "/readyz", "/vscode/x",
                                   "/spreadsheet", "/workspace-proxy/x", "/assets/nothing.js", "/nothing"})
        EXPECT_EQ(router_.match("GET", path).kind, Router::Match::Kind::kNotFound) << path;
}

TEST_F(PageRoutesTest, TellsWhatThePageMustKnowBeforeAnybodyHasSignedIn) {
    EXPECT_EQ(get("/page.json").body, R"({"registrationOpen":true,"sharing":false})");
    origin_.domain = "apps.example";
    EXPECT_EQ(get("/page.json").body, R"({"registrationOpen":true,"sharing":true})");
}

TEST(ContentCoding, IsTheBestThatBothHave) {
    constexpr CodingsThere kBoth{.brotli = true, .gzip = true};
    using enum ContentCoding;
    const std::array cases{
        std::pair("gzip, deflate, br, zstd", kBrotli),
        std::pair("gzip, deflate", kGzip),
        std::pair("br;q=0.5, gzip;q=0.9", kGzip),
        std::pair("br;q=0, gzip", kGzip),
        std::pair("br;q=0, *", kGzip),
        std::pair("*", kBrotli),
        std::pair("*;q=0", kIdentity),
        std::pair("identity;q=1, gzip;q=0.2", kIdentity),
        std::pair("BR", kBrotli),
        std::pair("gzip ; q=0.2", kGzip),
        std::pair("deflate", kIdentity),
        std::pair("", kIdentity),
        std::pair("gzip;q=nonsense", kGzip),
        std::pair("broken,,;q=,", kIdentity),
        std::pair("identity;q=0, br;q=0, gzip;q=0", kIdentity),
    };
    for (const auto& [text, wanted] : cases)
        EXPECT_EQ(best_coding(text, kBoth), wanted) << text;
    EXPECT_EQ(best_coding(std::nullopt, kBoth), kIdentity);
    EXPECT_EQ(best_coding("br, gzip", {.brotli = false, .gzip = true}), kGzip);
    EXPECT_EQ(best_coding("br, gzip", {}), kIdentity);
}

}  // namespace
}  // namespace agentdb9::api
