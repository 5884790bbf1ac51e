#include <gmock/gmock.h>

#include "conformance/store_suite.hpp"

namespace agentdb9::store {
namespace {

using model::AuditEntry;
using model::AuditFilter;
using testing::ElementsAre;
using testing::IsEmpty;

AuditEntry make_entry(std::int64_t ms, std::optional<model::UserId> user, std::string who, std::string target,
                      int status = 200) {
    return {.id = model::AuditId::generate(),
            .at = at(ms),
            .user_id = user,
            .who = std::move(who),
            .credential = "session:1",
            .address = "192.0.2.1",
            .action = "POST /api/workspaces/:id/start",
            .target = std::move(target),
            .status = status,
            .code = status >= 400 ? "workspace_not_found" : "",
            .request_id = "request"};
}

struct Entries {
    AuditEntry first = make_entry(1, kOwner, "Ada@example.org", "/api/workspaces/a_b/start");
    AuditEntry second = make_entry(2, {}, "ada@example.org", "/api/auth/login", 401);
    AuditEntry third = make_entry(3, {}, "operator", "/users/a%b/disable");
    void insert(Transaction& tx) const {
        for (const auto& each : {first, second, third})
            tx.audits().insert(each);
    }
};

TEST_P(StoreSuite, AuditsAreKeptAsTheyAreNewestFirst) {
    const Entries e;
    write([e](Transaction& tx) { e.insert(tx); });
    const auto find = [this](const AuditFilter& filter) {
        return read([=](Transaction& tx) { return tx.audits().find(filter).rows; });
    };
    EXPECT_THAT(find({}), ElementsAre(e.third, e.second, e.first));
}

TEST_P(StoreSuite, AuditsAreFoundByAccountWhetherByIdOrAddress) {
    const Entries e;
    write([e](Transaction& tx) { e.insert(tx); });
    const auto find = [this](const AuditFilter& filter) {
        return read([=](Transaction& tx) { return tx.audits().find(filter).rows; });
    };
    EXPECT_THAT(find({.who = kOwner.str()}), ElementsAre(e.first));
    EXPECT_THAT(find({.who = "ADA@example.org"}), ElementsAre(e.second, e.first));
    EXPECT_THAT(find({.who = "ada"}), IsEmpty());
}

TEST_P(StoreSuite, AuditsAreFoundByTargetTimeAndOutcome) {
    const Entries e;
    write([e](Transaction& tx) { e.insert(tx); });
    EXPECT_THAT(read([](Transaction& tx) { return tx.audits().find({.target = "A_B/Start"}).rows; }),
                ElementsAre(e.first));
    const auto find = [this](const AuditFilter& filter) {
        return read([=](Transaction& tx) { return tx.audits().find(filter).rows; });
    };
    EXPECT_THAT(find({.target = "a_b"}), ElementsAre(e.first));
    EXPECT_THAT(find({.target = "a%b"}), ElementsAre(e.third));
    EXPECT_THAT(find({.target = "\\"}), IsEmpty());
    EXPECT_THAT(find({.since = at(2)}), ElementsAre(e.third, e.second));
    EXPECT_THAT(find({.since = at(1), .until = at(2)}), ElementsAre(e.first));
    EXPECT_THAT(find({.failed = true}), ElementsAre(e.second));
    EXPECT_THAT(find({.who = "ada@example.org", .failed = true}), ElementsAre(e.second));
}

TEST_P(StoreSuite, AuditsComeInPages) {
    const Entries e;
    write([e](Transaction& tx) { e.insert(tx); });
    const auto page = [this](std::optional<std::string> cursor) {
        return read([=](Transaction& tx) { return tx.audits().find({}, {.limit = 2, .cursor = cursor}); });
    };
    const auto newest = page({});
    EXPECT_THAT(newest.rows, ElementsAre(e.third, e.second));
    ASSERT_TRUE(newest.next);
    const auto rest = page(newest.next);
    EXPECT_THAT(rest.rows, ElementsAre(e.first));
    EXPECT_FALSE(rest.next);
}

TEST_P(StoreSuite, AuditsGoWhenTheirTimeIsOver) {
    const Entries e;
    write([e](Transaction& tx) { e.insert(tx); });
    const auto find = [this](const AuditFilter& filter) {
        return read([=](Transaction& tx) { return tx.audits().find(filter).rows; });
    };
    write([](Transaction& tx) { EXPECT_EQ(tx.audits().prune(at(3)), 2); });
    EXPECT_THAT(find({}), ElementsAre(e.third));
}

}  // namespace
}  // namespace agentdb9::store
