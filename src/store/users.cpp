#include "base/error.hpp"
#include "store/table.hpp"

namespace agentdb9::store {
namespace {

using model::User;

const Table<User>& table() {
    static const Table<User> table(
        "users", User{.id = nil_id<model::UserId>()},
        {key<&User::id>("id"), column<&User::email>("email"), column<&User::username>("username"),
         column<&User::password_hash>("password"), column<&User::first_name>("firstName"),
         column<&User::last_name>("lastName"), column<&User::is_active>("isActive"),
         column<&User::role>("role"), column<&User::preferences>("preferences"),
         column<&User::last_login_at>("lastLoginAt"), fixed<&User::created_at>("createdAt"),
         column<&User::updated_at>("updatedAt")});
    return table;
}

std::string lower(std::string text) {
    for (char& c : text) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    return text;
}

base::Error email_taken() {
    return base::conflict("email_taken",
                          "An account with this email address exists already: sign in instead.");
}

// The unique rule of the column compares exactly: rows of an earlier backend may have capitals.
void refuse_taken(Connection& db, const User& user) {
    const auto others = db.execute(R"(SELECT 1 FROM "users" WHERE lower("email") = lower($1) AND "id" <> $2)",
                                   {user.email, user.id.str()});
    if (!others.rows.empty()) throw email_taken();
}

}  // namespace

void Users::insert(const User& user) {
    User row = user;
    row.email = lower(row.email);
    refuse_taken(db_, row);
    try {
        table().insert(db_, row);
    } catch (const base::Error& error) {
        // Another server on the same database was faster.
        if (error.word() == "duplicate" && error.internal().contains("email")) throw email_taken();
        throw;
    }
}

void Users::update(const User& user) {
    const auto before = find(user.id);
    if (!before) return;
    User row = user;
    // An address that stays as an earlier backend left it does not lock its owner out, even where two differ
    // in their capitals only.
    if (row.email != before->email) {
        row.email = lower(row.email);
        refuse_taken(db_, row);
    }
    table().update(db_, row);
}

std::optional<User> Users::find(const model::UserId& id) {
    return table().select_one(db_, R"(WHERE "id" = $1)", {id.str()});
}

std::optional<User> Users::find_by_email(const std::string& email) {
    return table().select_one(db_,
                              R"(WHERE lower("email") = lower($1)
                                 ORDER BY CASE WHEN "email" = $1 THEN 0 ELSE 1 END, "createdAt", "id")",
                              {email});
}

std::vector<User> Users::all() {
    return table().select(db_, R"(ORDER BY "createdAt", "id")");
}

std::int64_t Users::count() {
    return db_.execute(R"(SELECT count(*) FROM "users")").rows.at(0).integer(0);
}

std::int64_t Users::count_admins() {
    return db_.execute(R"(SELECT count(*) FROM "users" WHERE "role" = 'admin' AND "isActive")")
        .rows.at(0)
        .integer(0);
}

std::vector<model::UserId> Users::changed_since(model::Time time) {
    // One that is as it was made has no credentials of before the change.
    return read_ids<model::UserId>(
        db_.execute(R"(SELECT "id" FROM "users" WHERE "updatedAt" >= $1 AND "updatedAt" <> "createdAt")",
                    {encode(time)}));
}

}  // namespace agentdb9::store
