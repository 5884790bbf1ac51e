#include "api/body.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace agentdb9::api {
namespace {

using testing::HasSubstr;

http::Request request(std::string body, std::string_view type = "application/json") {
    http::Request request;
    request.body = std::move(body);
    if (!type.empty()) request.headers.set("Content-Type", type);
    return request;
}

// The word of what `act` throws, and its fields, comma-separated: "invalid_field: name, projectId".
template <class F>
std::string refusal(F act) {
    try {
        act();
    } catch (const base::Error& error) {
        EXPECT_EQ(error.code(), base::ErrorCode::kInvalid);
        std::string text = error.word();
        for (const auto& field : error.fields())
            text += (text == error.word() ? ": " : ", ") + field.field;
        return text;
    }
    return "";
}

TEST(Body, ReadsWhatIsAskedFor) {
    Body body(request(R"({"name":"Käse","flag":true,"count":3,"extra":{"a":1},"description":"a\nb",
                          "projectId":"A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11"})"));
    EXPECT_EQ(body.required_text("name", 1, 4), "Käse");
    EXPECT_EQ(body.optional_bool("flag"), true);
    EXPECT_EQ(body.optional_integer("count", 1, 3), 3);
    EXPECT_TRUE(body.optional_object("extra", 100));
    EXPECT_EQ(body.optional_text("description", 0, 10, TextKind::kText), "a\nb");
    EXPECT_EQ(body.optional_id<model::ProjectId>("projectId")->view(),
              "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11");
    EXPECT_NO_THROW(body.finish());
}

TEST(Body, NullMeansAbsent) {
    Body body(request(R"({"projectId":null,"name":null})"));
    EXPECT_FALSE(body.optional_id<model::ProjectId>("projectId"));
    EXPECT_FALSE(body.has("name"));
    body.required_text("name", 1, 100);
    EXPECT_EQ(refusal([&] { body.finish(); }), "invalid_field: name");
}

TEST(Body, AnEmptyOneIsAnEmptyObjectWhateverItsType) {
    Body body(request("", "text/plain"));
    EXPECT_FALSE(body.optional_text("name", 1, 100));
    EXPECT_NO_THROW(body.finish());
}

TEST(Body, OnlyJsonObjectsAreBodies) {
    EXPECT_EQ(refusal([] { Body(request("[]")); }), "invalid_body");
    EXPECT_EQ(refusal([] { Body(request("\"x\"")); }), "invalid_body");
    EXPECT_EQ(refusal([] { Body(request("{\"a\":")); }), "invalid_json");
    EXPECT_EQ(refusal([] { Body(request("{} x")); }), "invalid_json");
    EXPECT_EQ(refusal([] { Body(request("{}", "text/plain")); }), "invalid_content_type");
    EXPECT_EQ(refusal([] { Body(request("{}", "application/jsonx")); }), "invalid_content_type");
    EXPECT_NO_THROW(Body(request("{}", "Application/JSON; charset=utf-8")));
    EXPECT_NO_THROW(Body(request("{}", "")));
}

TEST(Body, TooDeepOrNotUtf8IsNotJson) {
    EXPECT_EQ(refusal([] { Body(request(std::string(5000, '['))); }), "invalid_json");
    EXPECT_EQ(refusal([] { Body(request("{\"a\":\"\xc3\x28\"}")); }), "invalid_json");
    EXPECT_EQ(refusal([] { Body(request("{\"a\":\"\\ud800\"}")); }), "invalid_json");
    EXPECT_EQ(refusal([] { Body(request("{\"a\":\"\xed\xa0\x80\"}")); }), "invalid_json");
}

TEST(Body, CollectsEveryProblem) {
    Body body(request(R"({"name":7,"flag":"yes","projectId":"x","role":"admin"})"));
    EXPECT_EQ(body.required_text("name", 1, 100), "");
    body.optional_bool("flag");
    body.optional_id<model::ProjectId>("projectId");
    body.required_text("email", 1, 100);
    EXPECT_EQ(refusal([&] { body.finish(); }), "invalid_field: name, flag, projectId, email, role");
}

TEST(Body, TheSentenceNamesTheFieldAndWhatIsWrong) {
    Body body(request(R"({"name":""})"));
    body.required_text("name", 1, 100);
    try {
        body.finish();
        FAIL();
    } catch (const base::Error& error) {
        EXPECT_THAT(error.message(), HasSubstr("'name' must have 1 to 100 characters"));
    }
}

TEST(Body, TextHasNoControlCharacters) {
    for (const std::string text : {R"("a\u0000b")", R"("a\nb")", R"("\u007f")", R"("\u0085")"}) {
        Body body(request("{\"name\":" + text + "}"));
        body.optional_text("name", 0, 100);
        EXPECT_EQ(refusal([&] { body.finish(); }), "invalid_field: name") << text;
    }
    Body body(request(R"({"name":"a\u0000b"})"));
    body.optional_text("name", 0, 100, TextKind::kText);
    EXPECT_EQ(refusal([&] { body.finish(); }), "invalid_field: name");
}

TEST(Body, RequiredIdThrowsAtOnce) {
    Body body(request(R"({"projectId":5})"));
    EXPECT_EQ(refusal([&] { body.required_id<model::ProjectId>("projectId"); }), "invalid_field: projectId");
    Body missing(request("{}"));
    EXPECT_EQ(refusal([&] { missing.required_id<model::ProjectId>("projectId"); }),
              "invalid_field: projectId");
}

TEST(Body, EnumsAndTimesAreChecked) {
    Body body(request(R"({"role":"admin","bad":"king","at":"2027-01-31T12:00:00Z","never":"soon"})"));
    EXPECT_EQ(body.optional_enum<model::Role>("role"), model::Role::kAdmin);
    EXPECT_FALSE(body.optional_enum<model::Role>("bad"));
    EXPECT_TRUE(body.optional_time("at"));
    EXPECT_FALSE(body.optional_time("never"));
    EXPECT_EQ(refusal([&] { body.finish(); }), "invalid_field: bad, never");
}

TEST(Body, HugeNamesOfUnknownFieldsAreCutInTheAnswer) {
    std::string many = "{";
    for (int i = 0; i < 1000; ++i)
        many += "\"ä" + std::to_string(i) + std::string(1000, 'x') + "\":1,";
    many += "\"z\":1}";
    Body body(request(many));
    try {
        body.finish();
        FAIL();
    } catch (const base::Error& error) {
        EXPECT_LT(error.message().size(), 4000U);
        EXPECT_EQ(error.fields().size(), 20U);
    }
}

}  // namespace
}  // namespace agentdb9::api
