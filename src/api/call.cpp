#include "api/call.hpp"

#include <charconv>

namespace agentdb9::api {
namespace {

int hex_value(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

constexpr std::size_t kMaxPage = 1000;

}  // namespace

std::string_view Call::parameter(std::string_view name) const {
    for (const auto& [key, value] : parameters) {
        if (key == name) return value;
    }
    return {};
}

std::optional<std::string> Call::query(std::string_view name) const {
    std::string_view rest = request.query();
    while (!rest.empty()) {
        const auto end = rest.find('&');
        const auto pair = rest.substr(0, end);
        rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
        const auto equals = pair.find('=');
        if (percent_decode(pair.substr(0, equals), true) != name) continue;
        if (equals == std::string_view::npos) return std::string();
        auto value = percent_decode(pair.substr(equals + 1), true);
        if (!value) {
            throw base::invalid_field(std::string(name), "has a '%' that starts no encoded byte");
        }
        return value;
    }
    return std::nullopt;
}

model::Actor Call::actor() const {
    const auto& who = user();
    if (who.api_token) return {model::ActorKind::kToken, who.api_token->str()};
    return {model::ActorKind::kUser, who.user.str()};
}

Task<> Call::require_project_in_scope(base::ProjectId project) const {
    const auto& own = user().token_scope.workspace;
    if (!own) co_return;
    if (is_project_of != nullptr && *is_project_of && co_await (*is_project_of)(user().user, *own, project))
        co_return;
    throw base::Error(base::ErrorCode::kForbidden, std::string(model::kTokenScope),
                      model::is_for_one_workspace(*own));
}

store::Page Call::page() const {
    store::Page page;
    if (auto limit = query("limit")) {
        const char* end = limit->data() + limit->size();
        auto [stop, error] = std::from_chars(limit->data(), end, page.limit);
        if (error != std::errc() || stop != end || page.limit < 1 || page.limit > kMaxPage) {
            throw base::invalid_field("limit",
                                      "must be a whole number from 1 to " + std::to_string(kMaxPage));
        }
    }
    page.cursor = query("cursor");
    if (page.cursor && page.cursor->empty()) page.cursor.reset();
    return page;
}

void Call::refuse_id(std::string_view name) {
    throw base::Error(base::ErrorCode::kInvalid, "invalid_id",
                      "The id in the path ('" + std::string(name) + "') is not a UUID.")
        .with_field(std::string(name), "must be a UUID");
}

std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space) {
    std::string decoded;
    decoded.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '+' && plus_is_space) {
            decoded += ' ';
        } else if (text[i] != '%') {
            decoded += text[i];
        } else {
            if (i + 2 >= text.size()) return std::nullopt;
            const int high = hex_value(text[i + 1]);
            const int low = hex_value(text[i + 2]);
            if (high < 0 || low < 0) return std::nullopt;
            decoded += static_cast<char>(high * 16 + low);
            i += 2;
        }
    }
    return decoded;
}

}  // namespace agentdb9::api
