#include "api/page_routes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/run_task.hpp"

namespace agentdb9::api {
namespace {

using testing::HasSubstr;
using testing::Not;

class PageRoutesTest : public testing::Test {
  protected:
    PageRoutesTest() { add_page_routes(router_); }

    http::Response get(std::string target, std::string_view if_none_match = {}) {
        const auto match = router_.match("GET", target);
        EXPECT_EQ(match.kind, Router::Match::Kind::kFound) << target;
        EXPECT_EQ(match.endpoint->access, Access::kPublic) << target;
        http::Request request;
        request.method = "GET";
        request.target = std::move(target);
        if (!if_none_match.empty()) request.headers.set("If-None-Match", if_none_match);
        Call call{request, match.parameters, std::nullopt};
        return test::run_task(match.endpoint->handler(call));
    }
    static std::string header(const http::Response& response, std::string_view name) {
        return std::string(response.headers.get(name).value_or("none"));
    }

    Router router_;
};

TEST_F(PageRoutesTest, ServesThePageAndWhateverItRefersTo) {
    const auto page = get("/");
    EXPECT_EQ(page.status, 200);
    EXPECT_EQ(header(page, "Content-Type"), "text/html; charset=utf-8");
    for (const std::string name : {"app.js", "style.css", "favicon.svg"}) {
        EXPECT_THAT(page.fixed_body, HasSubstr("\"" + name + "\""));
        EXPECT_FALSE(get("/" + name).fixed_body.empty());
    }
    for (const std::string name : {"api.js", "views.js"}) {
        EXPECT_THAT(get("/app.js").fixed_body, HasSubstr("'./" + name + "'"));
        EXPECT_EQ(header(get("/" + name), "Content-Type"), "text/javascript; charset=utf-8");
    }
}

TEST_F(PageRoutesTest, LetsNothingRunThatIsNotAFileOfIts) {
    for (const std::string path : {"/", "/app.js", "/style.css", "/favicon.svg"}) {
        const auto response = get(path);
        const auto policy = header(response, "Content-Security-Policy");
        EXPECT_THAT(policy, HasSubstr("default-src 'none'; script-src 'self'; style-src 'self'; "));
        EXPECT_THAT(policy, HasSubstr("frame-ancestors 'none'; base-uri 'none'; form-action 'none'"));
        EXPECT_THAT(policy, Not(HasSubstr("unsafe")));
        EXPECT_EQ(header(response, "X-Content-Type-Options"), "nosniff");
        EXPECT_EQ(header(response, "Referrer-Policy"), "no-referrer");
        EXPECT_EQ(header(response, "Cross-Origin-Opener-Policy"), "same-origin");
    }
}

TEST_F(PageRoutesTest, AnswersThatACopyIsStillGood) {
    const auto first = get("/app.js");
    const auto tag = header(first, "ETag");
    EXPECT_NE(tag, header(get("/style.css"), "ETag"));
    EXPECT_EQ(header(first, "Cache-Control"), "no-cache");
    for (const auto& known : {tag, "\"other\", " + tag, "W/" + tag, std::string("*")}) {
        const auto again = get("/app.js", known);
        EXPECT_EQ(again.status, 304) << known;
        EXPECT_EQ(again.fixed_body, "");
        EXPECT_EQ(header(again, "ETag"), tag);
    }
    EXPECT_EQ(get("/app.js", "\"other\"").status, 200);
}

}  // namespace
}  // namespace agentdb9::api
