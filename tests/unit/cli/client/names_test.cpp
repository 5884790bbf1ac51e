#include "cli/client/names.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.hpp"
#include "cli/client/objects.hpp"
#include "cli/client/text.hpp"

namespace agentdb9::cli::client {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

const std::string kFirst = "11111111-1111-4111-8111-111111111111";
const std::string kSecond = "22222222-2222-4222-8222-222222222222";
const std::string kThird = "3333aaaa-3333-4333-8333-333333333333";

json::array rows(const std::vector<std::pair<std::string, std::string>>& all) {
    json::array array;
    for (const auto& [id, name] : all)
        array.push_back({{"id", id}, {"name", name}});
    return array;
}

base::Error refusal(const json::array& all, std::string_view wanted) {
    try {
        find_by_name(all, wanted, kWorkspace);
    } catch (const base::Error& error) {
        return error;
    }
    ADD_FAILURE() << wanted << " was found";
    return {base::ErrorCode::kInternal, "found", "found"};
}

TEST(Names, AreFoundWhereOnlyOneHasThem) {
    const auto all = rows({{kFirst, "editor"}, {kSecond, "Editor"}, {kThird, "notes of 2026"}});
    EXPECT_EQ(text_in(find_by_name(all, "editor", kWorkspace), "id"), kFirst);
    EXPECT_EQ(text_in(find_by_name(all, "Editor", kWorkspace), "id"), kSecond);
    EXPECT_EQ(text_in(find_by_name(all, "notes of 2026", kWorkspace), "id"), kThird);
}

TEST(Names, AnIdGoesBeforeANameAndItsLettersMayBeLarge) {
    const auto all = rows({{kFirst, kSecond}, {kSecond, "other"}, {kThird, "third"}});
    EXPECT_EQ(text_in(find_by_name(all, kSecond, kWorkspace), "name"), "other");
    EXPECT_EQ(text_in(find_by_name(all, "3333AAAA-3333-4333-8333-333333333333", kWorkspace), "name"),
              "third");
}

TEST(Names, OfSeveralAreRefusedWithTheIdsOfAllOfThem) {
    const auto error = refusal(rows({{kFirst, "same"}, {kSecond, "same"}, {kThird, "other"}}), "same");
    EXPECT_EQ(error.code(), base::ErrorCode::kInvalid);
    EXPECT_EQ(error.word(), "ambiguous_name");
    EXPECT_THAT(error.message(), AllOf(HasSubstr("2 workspaces are called 'same'"), HasSubstr(kFirst),
                                       HasSubstr(kSecond), Not(HasSubstr(kThird))));
}

TEST(Names, UnknownOnesAreNotFoundAndNearOnesAreTold) {
    const auto all = rows({{kFirst, "website"}, {kSecond, "engine"}, {kThird, "Engine room"}});
    const auto slip = refusal(all, "wesbite");
    EXPECT_EQ(slip.code(), base::ErrorCode::kNotFound);
    EXPECT_THAT(slip.message(), HasSubstr("Did you mean 'website'?"));
    EXPECT_THAT(refusal(all, "ENGINE").message(), HasSubstr("Did you mean 'engine' or 'Engine room'?"));
    EXPECT_THAT(refusal(all, "xyzzy").message(), HasSubstr("'agentdb9 workspaces list'"));
    EXPECT_THAT(refusal({}, "xyzzy").message(), HasSubstr("You have none"));
    EXPECT_THAT(refusal(all, "\x1b[2J").message(), Not(HasSubstr("\x1b")));
}

TEST(Names, NearOnesAreThreeAtMostAndEachOnce) {
    EXPECT_THAT(near_names(rows({{kFirst, "aaa1"}, {kSecond, "aaa1"}, {kThird, "aaa2"}}), "aaa"),
                ElementsAre("aaa1", "aaa2"));
    EXPECT_EQ(near_names(rows({{"1", "n1"}, {"2", "n2"}, {"3", "n3"}, {"4", "n4"}}), "n").size(), 3U);
    // Two letters of two are not a slip.
    EXPECT_THAT(near_names(rows({{kFirst, "xy"}}), "ab"), IsEmpty());
}

TEST(Names, IdsAreToldFromNames) {
    EXPECT_TRUE(is_id(kFirst));
    EXPECT_TRUE(is_id("AAAAAAAA-BBBB-4CCC-8DDD-EEEEEEEEEEEE"));
    for (const auto* each : {"", "editor", "11111111-1111-4111-8111-11111111111",
                             "11111111-1111-4111-8111-1111111111111", "1111111111111-4111-8111-111111111111",
                             "g1111111-1111-4111-8111-111111111111", "11111111-1111-4111-8111-11111111/../"})
        EXPECT_FALSE(is_id(each)) << each;
}

}  // namespace
}  // namespace agentdb9::cli::client
