#include "api/api.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/envelope.hpp"
#include "api/problem.hpp"
#include "base/log.hpp"
#include "support/run_task.hpp"

namespace agentdb9::api {
namespace {

using base::Error;
using base::ErrorCode;
using testing::HasSubstr;
using testing::Not;

const auto kUser = base::UserId::parse("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11").value();

class FixedClock final : public base::Clock {
  public:
    base::Time now() const override { return base::from_unix_ms(1'700'000'000'123); }
    base::SteadyTime steady_now() const override { return {}; }
    Task<> sleep_for(base::Duration) override { co_return; }
};

class ApiTest : public testing::Test {
  protected:
    ApiTest()
        : api_(clock_, [](auth::Credential credential) { return authenticate(std::move(credential)); }) {
        api_.router().add("GET", "/open", Access::kPublic, [](Call& call) -> Task<http::Response> {
            co_return ok(call.principal.has_value());
        });
        api_.router().add("GET", "/mine", Access::kUser, [](Call& call) -> Task<http::Response> {
            co_return ok(json::string(call.user().email), "Here it is");
        });
        api_.router().add("GET", "/admin", Access::kAdmin,
                          [](Call&) -> Task<http::Response> { co_return ok(true); });
        api_.router().add("GET", "/things/:id", Access::kPublic, [](Call& call) -> Task<http::Response> {
            co_return ok(json::string(call.id<base::ProjectId>("id").view()));
        });
        api_.router().add("GET", "/page", Access::kPublic, [](Call& call) -> Task<http::Response> {
            const auto page = call.page();
            co_return ok(json::array{page.limit, page.cursor.value_or("none")});
        });
        api_.router().add("GET", "/fails", Access::kPublic, [](Call&) -> Task<http::Response> {
            throw std::runtime_error("secret text");
            co_return no_content();
        });
        api_.router().add("GET", "/busy", Access::kPublic, [](Call&) -> Task<http::Response> {
            throw Error(ErrorCode::kRateLimited, "rate_limited", "Too many tries.").with_retry_after(7);
            co_return no_content();
        });
    }

    static Task<std::expected<auth::Principal, auth::Failure>> authenticate(auth::Credential credential) {
        if (credential.text == "down") co_return std::unexpected(auth::Failure::kUnavailable);
        if (credential.text == "old") co_return std::unexpected(auth::Failure::kExpired);
        if (credential.text != "user" && credential.text != "admin") {
            co_return std::unexpected(auth::Failure::kMalformed);
        }
        auth::Principal principal{.user = kUser,
                                  .email = "a@example.org",
                                  .username = "a",
                                  .role = model::Role::kUser,
                                  .session = {},
                                  .api_token = {},
                                  .scope = {},
                                  .expires_at = {}};
        if (credential.text == "admin") principal.role = model::Role::kAdmin;
        co_return principal;
    }

    http::Response call(std::string_view target, std::string_view authorization = {},
                        std::string_view method = "GET") {
        auto request = make_request(method, target);
        if (!authorization.empty()) request.headers.set("Authorization", authorization);
        return test::run_task(api_.handle(std::move(request)));
    }
    static http::Request make_request(std::string_view method, std::string_view target) {
        http::Request request;
        request.method = method;
        request.target = target;
        request.id = "request-1";
        return request;
    }
    static json::object body(const http::Response& response) {
        return json::parse(response.body).as_object();
    }

    FixedClock clock_;
    Api api_;
};

TEST_F(ApiTest, AFailureHasEveryFieldOfTheContract) {
    const auto response = call("/nothing?token=secret");
    EXPECT_EQ(response.status, 404);
    EXPECT_EQ(
        response.body,
        R"({"success":false,"error":"There is nothing at this path.",)"
        R"("message":"There is nothing at this path.","code":"not_found","statusCode":404,)"
        R"("requestId":"request-1","timestamp":"2023-11-14T22:13:20.123Z","path":"/nothing","method":"GET"})");
    EXPECT_EQ(response.headers.get("cache-control"), "no-store");
}

TEST_F(ApiTest, SuccessIsWrapped) {
    const auto response = call("/mine", "Bearer user");
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(response.body, R"({"success":true,"data":"a@example.org","message":"Here it is"})");
}

TEST_F(ApiTest, NeedsAToken) {
    const auto response = call("/mine");
    EXPECT_EQ(response.status, 401);
    EXPECT_EQ(response.headers.get("www-authenticate"), "Bearer");
    EXPECT_EQ(body(response)["code"], "authentication_required");
    EXPECT_EQ(body(call("/mine", "Basic dXNlcg=="))["code"], "invalid_token");
    EXPECT_EQ(body(call("/mine", "Bearer wrong"))["code"], "invalid_token");
    EXPECT_EQ(body(call("/mine", "Bearer old"))["code"], "token_expired");
    EXPECT_EQ(call("/mine", "Bearer down").status, 503);
}

TEST_F(ApiTest, PublicEndpointsIgnoreTokens) {
    EXPECT_EQ(call("/open", "Bearer wrong").status, 200);
}

TEST_F(ApiTest, OnlyAdminsPassWhereAdminsAreAskedFor) {
    EXPECT_EQ(call("/admin", "Bearer user").status, 403);
    EXPECT_EQ(call("/admin", "Bearer admin").status, 200);
    EXPECT_EQ(call("/admin").status, 401);
}

TEST_F(ApiTest, WrongVerbIsToldBeforeTheToken) {
    const auto response = call("/mine", {}, "DELETE");
    EXPECT_EQ(response.status, 405);
    EXPECT_EQ(response.headers.get("allow"), "GET, HEAD, OPTIONS");
    EXPECT_EQ(call("/mine", {}, "OPTIONS").status, 204);
}

TEST_F(ApiTest, MalformedIdIs400NamingTheParameter) {
    const auto response = call("/things/x");
    EXPECT_EQ(response.status, 400);
    EXPECT_EQ(body(response)["details"].at(0).at("field"), "id");
    EXPECT_EQ(call("/things/A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11").status, 200);
}

TEST_F(ApiTest, ListParametersAreRead) {
    EXPECT_EQ(body(call("/page"))["data"], (json::array{1000U, "none"}));
    EXPECT_EQ(body(call("/page?limit=5&cursor=a%3D"))["data"], (json::array{5U, "a="}));
    for (const auto* bad :
         {"/page?limit=0", "/page?limit=1001", "/page?limit=x", "/page?limit=-1", "/page?limit="})
        EXPECT_EQ(call(bad).status, 400) << bad;
}

TEST_F(ApiTest, UnknownExceptionsTellNothing) {
    base::log::configure(base::log::Level::kOff, base::log::Format::kJson);
    const auto response = call("/fails");
    base::log::configure(base::log::Level::kInfo, base::log::Format::kJson);
    EXPECT_EQ(response.status, 500);
    EXPECT_THAT(response.body, Not(HasSubstr("secret")));
    EXPECT_EQ(body(response)["code"], "internal_error");
}

TEST_F(ApiTest, RetryAfterIsPassedOn) {
    const auto response = call("/busy");
    EXPECT_EQ(response.status, 429);
    EXPECT_EQ(response.headers.get("retry-after"), "7");
}

TEST(Problem, EveryCodeHasItsStatus) {
    EXPECT_EQ(status_of(ErrorCode::kInvalid), 400);
    EXPECT_EQ(status_of(ErrorCode::kUnauthenticated), 401);
    EXPECT_EQ(status_of(ErrorCode::kForbidden), 403);
    EXPECT_EQ(status_of(ErrorCode::kNotFound), 404);
    EXPECT_EQ(status_of(ErrorCode::kConflict), 409);
    EXPECT_EQ(status_of(ErrorCode::kTooLarge), 413);
    EXPECT_EQ(status_of(ErrorCode::kRateLimited), 429);
    EXPECT_EQ(status_of(ErrorCode::kQuota), 409);
    EXPECT_EQ(status_of(ErrorCode::kUnavailable), 503);
    EXPECT_EQ(status_of(ErrorCode::kUpstream), 502);
    EXPECT_EQ(status_of(ErrorCode::kTimeout), 504);
    EXPECT_EQ(status_of(ErrorCode::kInternal), 500);
}

TEST(Problem, TheRequestsBytesCannotBreakTheAnswer) {
    const http::Problem problem{404, "not_found", "Nothing.", {}};
    const auto text = http::problem_json(problem, {"id", "GET", "/\xff<script>\n", {}});
    EXPECT_THAT(text, HasSubstr("\"path\":\"/?<script>?\""));
    const auto page = http::problem_html(problem, {"id", "GET", "/<script>", {}});
    EXPECT_THAT(page, Not(HasSubstr("<script>")));
}

}  // namespace
}  // namespace agentdb9::api
