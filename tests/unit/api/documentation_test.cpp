// The API's document against the router of the whole server, as cli/ composes it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <map>
#include <set>

#include "api/documentation_routes.hpp"
#include "cli/core.hpp"
#include "store/sqlite/sqlite_store.hpp"

namespace agentdb9::api {
namespace {

// "/api/workspaces/:id" as OpenAPI writes it: "/api/workspaces/{id}".
std::string as_template(std::string_view pattern) {
    std::string out;
    bool parameter = false;
    for (const char c : pattern) {
        if (c == '/' && std::exchange(parameter, false)) out += '}';
        if (c == ':') {
            parameter = true;
            out += '{';
        } else {
            out += c;
        }
    }
    return parameter ? out + '}' : out;
}

std::string in_capitals(std::string_view text) {
    std::string out(text);
    for (char& c : out)
        c = static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
    return out;
}

// The page at "/" and its files are no part of the API.
bool is_api(std::string_view pattern) {
    return pattern.starts_with("/api/") || pattern == "/healthz" || pattern == "/health" ||
           pattern == "/readyz" || pattern == "/metrics";
}

class DocumentationTest : public testing::Test {
  protected:
    DocumentationTest()
        : core_(io_.get_executor(), {}, store::SqliteStore::in_memory(),
                auth::Keys::from_secret("a secret of at least thirty-two bytes")),
          document_(json::parse(json::string_view(openapi_document())).as_object()) {
        for (const auto& [path, verbs] : document_.at("paths").as_object()) {
            for (const auto& [verb, operation] : verbs.as_object())
                documented_.emplace(in_capitals(verb) + " " + std::string(path), operation.as_object());
        }
    }

    std::map<std::string, const Endpoint*> served() {
        std::map<std::string, const Endpoint*> all;
        for (const auto* endpoint : core_.api.router().endpoints()) {
            if (is_api(endpoint->pattern))
                all.emplace(endpoint->method + " " + as_template(endpoint->pattern), endpoint);
        }
        return all;
    }

    asio::io_context io_;
    cli::Core core_;
    json::object document_;
    std::map<std::string, json::object> documented_;
};

TEST_F(DocumentationTest, TheDocumentAndTheRouterKnowTheSameCalls) {
    std::set<std::string> served_names, documented_names;
    for (const auto& [name, endpoint] : served())
        served_names.insert(name);
    for (const auto& [name, operation] : documented_)
        documented_names.insert(name);
    EXPECT_THAT(documented_names, testing::ContainerEq(served_names));
    EXPECT_GT(documented_names.size(), 40U);
}

TEST_F(DocumentationTest, TheDocumentSaysWhichCallsNeedNoToken) {
    for (const auto& [name, endpoint] : served()) {
        const auto& operation = documented_.at(name);
        const auto* security = operation.if_contains("security");
        const bool open = security != nullptr && security->as_array().empty();
        EXPECT_EQ(open, endpoint->access == Access::kPublic) << name;
        EXPECT_EQ(operation.at("responses").as_object().contains("401"),
                  endpoint->access != Access::kPublic || name == "POST /api/auth/login" ||
                      name == "POST /api/auth/refresh")
            << name;
        EXPECT_EQ(operation.at("responses").as_object().contains("403") && endpoint->access == Access::kAdmin,
                  endpoint->access == Access::kAdmin)
            << name;
    }
}

TEST_F(DocumentationTest, EachOperationHasAnIdOfItsOwnASummaryAndAKnownTag) {
    std::set<std::string> tags, ids;
    for (const auto& tag : document_.at("tags").as_array())
        tags.emplace(tag.at("name").as_string());
    for (const auto& [name, operation] : documented_) {
        EXPECT_TRUE(ids.emplace(operation.at("operationId").as_string()).second) << name;
        EXPECT_FALSE(operation.at("summary").as_string().empty()) << name;
        for (const auto& tag : operation.at("tags").as_array())
            EXPECT_TRUE(tags.contains(std::string(tag.as_string()))) << name;
    }
}

// A schema that lets anything pass holds nothing: each object of ours says so or lists all of its fields.
void expect_closed(const json::value& value, const std::string& where) {
    if (const auto* array = value.if_array()) {
        for (std::size_t i = 0; i < array->size(); ++i)
            expect_closed((*array)[i], where + "/" + std::to_string(i));
        return;
    }
    const auto* object = value.if_object();
    if (object == nullptr) return;
    const auto* type = object->if_contains("type");
    const bool is_object = type != nullptr && type->is_string() && type->as_string() == "object";
    if (is_object && !object->contains("$ref"))
        EXPECT_TRUE(object->contains("additionalProperties")) << where << " is open";
    for (const auto& [key, member] : *object) {
        if (key != "examples" && key != "example") expect_closed(member, where + "/" + std::string(key));
    }
}

TEST_F(DocumentationTest, EveryObjectSaysWhetherItHasMoreFields) {
    expect_closed(document_.at("components").at("schemas"), "schemas");
    expect_closed(document_.at("paths"), "paths");
}

}  // namespace
}  // namespace agentdb9::api
