#include "store/codec.hpp"
#include "store/transaction.hpp"

namespace agentdb9::store {
namespace {

template <class T>
Value or_null(const std::optional<T>& value) {
    return value ? Value(*value) : Value(nullptr);
}

std::optional<std::int64_t> count_in(const Row& row, std::size_t column) {
    return Codec<std::int64_t>::decode(row.value(column));
}

std::optional<double> number_in(const Row& row, std::size_t column) {
    const auto& value = row.value(column);
    if (const auto* number = std::get_if<double>(&value)) return *number;
    if (const auto integer = count_in(row, column)) return static_cast<double>(*integer);
    const auto* text = std::get_if<std::string>(&value);
    if (text == nullptr) return std::nullopt;
    double number = 0;
    const auto [end, ec] = std::from_chars(text->data(), text->data() + text->size(), number);
    if (ec != std::errc() || end != text->data() + text->size()) return std::nullopt;
    return number;
}

}  // namespace

model::Quota Quotas::of_user(const model::UserId& user) {
    const auto found = db_.execute(
        R"(SELECT "workspaces", "running", "cpus", "memory", "volumeBytes" FROM "agentdb9_quotas" WHERE "userId" = $1)",
        {user.str()});
    if (found.rows.empty()) return {};
    const auto& row = found.rows.front();
    return {.workspaces = count_in(row, 0),
            .running = count_in(row, 1),
            .cpus = number_in(row, 2),
            .memory_mb = count_in(row, 3),
            .volume_bytes = count_in(row, 4)};
}

void Quotas::set(const model::UserId& user, const model::Quota& quota) {
    db_.execute(R"(DELETE FROM "agentdb9_quotas" WHERE "userId" = $1)", {user.str()});
    if (quota.empty()) return;
    db_.execute(
        R"(INSERT INTO "agentdb9_quotas" ("userId", "workspaces", "running", "cpus", "memory", "volumeBytes")
           VALUES ($1, $2, $3, $4, $5, $6))",
        {user.str(), or_null(quota.workspaces), or_null(quota.running), or_null(quota.cpus),
         or_null(quota.memory_mb), or_null(quota.volume_bytes)});
}

bool Quotas::any_limits_volumes() {
    return !db_.execute(R"(SELECT "userId" FROM "agentdb9_quotas" WHERE "volumeBytes" > 0 LIMIT 1)")
                .rows.empty();
}

std::optional<VolumeUse> Quotas::volume_use(const model::UserId& user) {
    const auto found = db_.execute(
        R"(SELECT "bytes", "measuredAt" FROM "agentdb9_volume_use" WHERE "userId" = $1)", {user.str()});
    if (found.rows.empty()) return std::nullopt;
    VolumeUse use;
    use.bytes = count_in(found.rows.front(), 0).value_or(0);
    decode(found.rows.front().value(1), use.measured_at);
    return use;
}

void Quotas::set_volume_use(const std::map<model::UserId, std::int64_t>& bytes, model::Time measured_at) {
    db_.execute(R"(DELETE FROM "agentdb9_volume_use")");
    for (const auto& [user, count] : bytes) {
        db_.execute(
            R"(INSERT INTO "agentdb9_volume_use" ("userId", "bytes", "measuredAt") VALUES ($1, $2, $3))",
            {user.str(), count, encode(measured_at)});
    }
}

}  // namespace agentdb9::store
