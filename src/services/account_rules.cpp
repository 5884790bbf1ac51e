#include "services/account_rules.hpp"

#include <algorithm>

#include "auth/email.hpp"
#include "auth/passwords.hpp"

namespace agentdb9::services {
namespace {

constexpr std::size_t kMaxUsernameCharacters = 100;
constexpr std::string_view kEmailProblem = "must be an email address";

std::optional<std::string> username_problem(const std::string& username) {
    const auto characters = static_cast<std::size_t>(std::ranges::count_if(
        username, [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
    if (characters >= 1 && characters <= kMaxUsernameCharacters) return std::nullopt;
    return "must have 1 to " + std::to_string(kMaxUsernameCharacters) + " characters";
}

}  // namespace

void check_new_account(NewAccount& account) {
    std::vector<base::FieldProblem> problems;
    if (auto email = auth::normalize_email(account.email)) {
        account.email = *email;
    } else {
        problems.push_back({"email", std::string(kEmailProblem)});
    }
    if (auto problem = username_problem(account.username)) problems.push_back({"username", *problem});
    if (auto problem = auth::password_problem(account.password)) problems.push_back({"password", *problem});
    if (problems.empty()) return;
    std::string sentence;
    for (const auto& each : problems)
        sentence += (sentence.empty() ? "'" : "; '") + each.field + "' " + each.problem;
    base::Error error(base::ErrorCode::kInvalid, "invalid_field",
                      "The account is not acceptable: " + sentence + ".");
    for (const auto& each : problems)
        std::move(error).with_detail(each);
    throw error;
}

std::string check_email(const std::string& email) {
    auto normal = auth::normalize_email(email);
    if (!normal) throw base::invalid_field("email", std::string(kEmailProblem));
    return *normal;
}

void check_username(const std::string& username) {
    if (auto problem = username_problem(username)) throw base::invalid_field("username", *problem);
}

void check_password(std::string_view field, const std::string& password) {
    if (auto problem = auth::password_problem(password))
        throw base::invalid_field(std::string(field), *problem);
}

model::User make_user(const NewAccount& account, std::string password_hash, base::Time now) {
    return {.id = base::UserId::generate(),
            .email = account.email,
            .username = account.username,
            .password_hash = std::move(password_hash),
            .first_name = account.first_name,
            .last_name = account.last_name,
            .is_active = true,
            .role = model::Role::kUser,
            .preferences = {},
            .last_login_at = std::nullopt,
            .created_at = now,
            .updated_at = now};
}

}  // namespace agentdb9::services
