#include "cli/client/names.hpp"

#include <algorithm>
#include <utility>

#include "base/error.hpp"
#include "cli/client/text.hpp"
#include "config/did_you_mean.hpp"

namespace agentdb9::cli::client {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::size_t kMaxNear = 3;
constexpr std::size_t kFar = 1000;

std::string lower(std::string_view text) {
    std::string small(text);
    std::ranges::transform(small, small.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    return small;
}

// How far a name is from what was typed: letters' size first, then beginnings, then slips of the hand.
std::size_t distance(const std::string& typed, const std::string& name) {
    if (typed == name) return 0;
    if (!typed.empty() && name.find(typed) != name.npos) return 1;
    const auto slips = config::edit_distance(typed, name);
    return slips <= std::max<std::size_t>(2, typed.size() / 4) && slips < typed.size() ? slips + 1 : kFar;
}

std::string quoted(std::string_view text) {
    return "'" + printable(text) + "'";
}

}  // namespace

bool is_id(std::string_view text) {
    if (text.size() != 36) return false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        const bool digit = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
        if (dash ? c != '-' : !digit) return false;
    }
    return true;
}

std::vector<std::string> near_names(const json::array& rows, std::string_view wanted) {
    std::vector<std::pair<std::size_t, std::string>> found;
    const auto typed = lower(wanted);
    for (const auto& row : rows) {
        auto name = text_in(row.as_object(), "name");
        const auto how_far = distance(typed, lower(name));
        if (how_far != kFar) found.emplace_back(how_far, std::move(name));
    }
    std::ranges::sort(found);
    std::vector<std::string> names;
    for (auto& [how_far, name] : found) {
        if (names.size() < kMaxNear && std::ranges::find(names, name) == names.end())
            names.push_back(std::move(name));
    }
    return names;
}

json::object find_by_name(const json::array& rows, std::string_view wanted, const Kind& kind) {
    std::vector<const json::object*> same;
    for (const auto& row : rows) {
        const auto& object = row.as_object();
        if (lower(text_in(object, "id")) == lower(wanted)) return object;
        if (text_in(object, "name") == wanted) same.push_back(&object);
    }
    if (same.size() == 1) return *same.front();
    const auto list = "'agentdb9 " + std::string(kind.command) + " list'";
    if (same.size() > 1) {
        std::string ids;
        for (const auto* each : same)
            ids += (ids.empty() ? "" : ", ") + shown(*each, "id");
        throw Error(ErrorCode::kInvalid, "ambiguous_name",
                    std::to_string(same.size()) + " " + std::string(kind.many) + " are called " +
                        quoted(wanted) + ": name one by its id: " + ids + ".");
    }
    auto message = "No " + std::string(kind.one) + " of yours has the name or id " + quoted(wanted) + ".";
    if (rows.empty()) {
        message += " You have none.";
    } else if (const auto near = near_names(rows, wanted); !near.empty()) {
        message += " Did you mean ";
        for (std::size_t i = 0; i < near.size(); ++i)
            message += (i == 0 ? "" : i + 1 == near.size() ? " or " : ", ") + quoted(near[i]);
        message += "?";
    } else {
        message += " " + list + " shows them.";
    }
    throw Error(ErrorCode::kNotFound, std::string(kind.one) + "_not_found", message);
}

}  // namespace agentdb9::cli::client
