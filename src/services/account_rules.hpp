// What an account's fields must be, whoever sets them. Pure; any thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/time.hpp"
#include "model/entities.hpp"

namespace agentdb9::services {

struct NewAccount {
    std::string email;
    std::string username;
    std::string password;
    std::optional<std::string> first_name;
    std::optional<std::string> last_name;
};

// Brings the email address into its normal form. Throws Error{kInvalid, "invalid_field"} with every problem.
void check_new_account(NewAccount& account);
// The normal form. Throws Error{kInvalid, "invalid_field"}.
std::string check_email(const std::string& email);
void check_username(const std::string& username);
// `field` is what the client calls it.
void check_password(std::string_view field, const std::string& password);

// An active user with a new id, role `user`.
model::User make_user(const NewAccount& account, std::string password_hash, base::Time now);

}  // namespace agentdb9::services
