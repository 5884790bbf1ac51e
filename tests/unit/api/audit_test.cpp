#include "api/audit.hpp"

#include <gmock/gmock.h>

namespace agentdb9::api {
namespace {

struct Exchange {
    http::Request request;
    Endpoint endpoint;
    std::optional<auth::Principal> principal;
    http::Response response;

    std::optional<model::AuditEntry> entry(bool operators = false) const {
        return audit_entry({request, endpoint, principal, response}, operators);
    }
};

Exchange exchange(std::string method, std::string pattern, Access access = Access::kUser) {
    Exchange made;
    made.request.id = "request";
    made.request.method = method;
    made.request.target = pattern + "?secret=in-the-query";
    made.request.peer = "192.0.2.1";
    if (access == Access::kUser)
        made.principal = auth::Principal{.user = base::UserId::generate(), .email = "ada@example.org"};
    made.endpoint = {.method = std::move(method), .pattern = std::move(pattern), .access = access};
    return made;
}

TEST(Audit, LookingAndWhatClientsDoByThemselvesAreNoNews) {
    EXPECT_FALSE(exchange("GET", "/api/workspaces").entry());
    EXPECT_FALSE(exchange("POST", "/api/auth/refresh", Access::kPublic).entry());
    EXPECT_TRUE(exchange("POST", "/api/workspaces").entry());
}

TEST(Audit, SaysWhoByWhichCredential) {
    auto asked = exchange("POST", "/api/workspaces");
    asked.principal->session = base::SessionId::generate();
    const auto by_session = asked.entry().value();
    EXPECT_EQ(by_session.user_id, asked.principal->user);
    EXPECT_EQ(by_session.who, "ada@example.org");
    EXPECT_EQ(by_session.credential, "session:" + asked.principal->session->str());
    asked.principal->api_token = base::ApiTokenId::generate();
    EXPECT_EQ(asked.entry()->credential, "token:" + asked.principal->api_token->str());
}

TEST(Audit, TheTargetIsAsItIsShownElsewhereHoweverItWasWritten) {
    auto asked = exchange("DELETE", "/api/workspaces/:id");
    const std::string id = "0c5f6a1e-9d3b-4c2a-8e7f-1a2b3c4d5e6f";
    for (const auto& written : {id, std::string("%30c5f6a1e-9d3b-4c2a-8e7f-1a2b3c4d5e6f"),
                                std::string("0C5F6A1E-9D3B-4C2A-8E7F-1A2B3C4D5E6F")}) {
        asked.request.target = "/api/workspaces/" + written + "?force=true";
        EXPECT_EQ(asked.entry()->target, "/api/workspaces/" + id);
    }
    asked.request.target = "/api/workspaces/%0a%ff%2f//x%";
    const auto target = asked.entry()->target;
    EXPECT_EQ(target.find('\n'), target.npos);
    EXPECT_TRUE(target.starts_with("/api/workspaces/?")) << target;
}

TEST(Audit, OfABodyOnlyTheClaimedAddressIsKeptAndOnlyWhereNobodyIsKnown) {
    auto login = exchange("POST", "/api/auth/login", Access::kPublic);
    login.request.body = R"({"email":"ada@example.org","password":"hidden"})";
    const auto entry = login.entry().value();
    EXPECT_EQ(entry.who, "ada@example.org");
    EXPECT_EQ(entry.target, "/api/auth/login");
    for (const auto* text : {&entry.credential, &entry.action, &entry.target, &entry.code, &entry.who})
        EXPECT_THAT(*text, testing::Not(testing::HasSubstr("hidden")));
    auto refused = exchange("POST", "/api/users", Access::kUser);
    refused.principal.reset();
    refused.request.body = R"({"email":"somebody@example.org"})";
    EXPECT_EQ(refused.entry(true)->who, "operator");
    login.request.body = R"({"email":"a\u0000b\nc"})";
    EXPECT_EQ(login.entry()->who, "a?b?c");
    login.request.body = "{";
    EXPECT_FALSE(login.entry());
}

TEST(Audit, TellsOfTerminalsAndWhoCameByATicket) {
    auto asked = exchange("GET", "/api/workspaces/:id/terminal", Access::kTicket);
    const auto user = base::UserId::generate();
    asked.response.caller = {.user = user.str(), .session = "s"};
    const auto entry = asked.entry().value();
    EXPECT_EQ(entry.user_id, user);
    EXPECT_EQ(entry.credential, "session:s");
}

TEST(Audit, SaysWhatCameOfIt) {
    auto asked = exchange("DELETE", "/api/workspaces/:id");
    asked.response.body = R"({"code":"not the answer's to say"})";
    EXPECT_EQ(asked.entry()->code, "");
    asked.response.status = 409;
    asked.response.body = R"({"code":"project_in_use"})";
    EXPECT_EQ(asked.entry()->status, 409);
    EXPECT_EQ(asked.entry()->code, "project_in_use");
}

TEST(Audit, StrangersCannotFillIt) {
    auto unknown = exchange("POST", "/api/workspaces");
    unknown.principal.reset();
    unknown.response.status = 401;
    EXPECT_FALSE(unknown.entry()) << "no token, or one that is not good";
    auto login = exchange("POST", "/api/auth/login", Access::kPublic);
    login.request.body = R"({"email":"ada@example.org"})";
    for (const int status : {400, 403, 409, 413, 429, 503}) {
        login.response.status = status;
        EXPECT_FALSE(login.entry()) << status;
    }
    for (const int status : {200, 401}) {
        login.response.status = status;
        EXPECT_TRUE(login.entry()) << status;
    }
}

TEST(Audit, LongTextsAreCutBetweenCharacters) {
    auto login = exchange("POST", "/api/auth/login", Access::kPublic);
    std::string address(299, 'a');
    address += "ä@example.org";
    login.request.body = R"({"email":")" + address + R"("})";
    EXPECT_EQ(login.entry()->who, std::string(299, 'a'));
    login.request.target = "/" + std::string(5000, 'x');
    EXPECT_EQ(login.entry()->target.size(), 300U);
}

}  // namespace
}  // namespace agentdb9::api
