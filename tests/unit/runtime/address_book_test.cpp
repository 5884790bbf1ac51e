#include "runtime/docker/address_book.hpp"

#include <gmock/gmock.h>

#include "base/error.hpp"

namespace agentdb9::runtime::docker {
namespace {

using namespace std::chrono_literals;

const base::SteadyTime kNow{std::chrono::hours(1)};

// All that can be chosen at `now`.
std::set<std::string> choices(AddressBook& book, base::SteadyTime now) {
    std::set<std::string> chosen;
    try {
        for (;;)
            chosen.insert(book.choose(now).value());
    } catch (const base::Error& error) {
        EXPECT_EQ(error.code(), base::ErrorCode::kConflict);
        EXPECT_EQ(error.word(), "addresses_exhausted");
    }
    return chosen;
}

TEST(AddressBook, LeavesTheChoiceToTheEngineWhereNobodyNamedASubnet) {
    AddressBook book;
    EXPECT_EQ(book.choose(kNow), std::nullopt);
    book.use_subnet(std::nullopt, 0);
    EXPECT_EQ(book.choose(kNow), std::nullopt);
}

TEST(AddressBook, NeverGivesTheAddressOfAContainerThatExists) {
    AddressBook book;
    book.use_subnet("10.213.0.0/29", 0);
    book.reload({{"stopped", "10.213.0.2"}, {"another installation's", "10.213.0.5"}}, kNow);
    book.note("new", "10.213.0.6");
    EXPECT_EQ(choices(book, kNow), (std::set<std::string>{"10.213.0.3", "10.213.0.4"}));
}

TEST(AddressBook, GivesNoAddressTwiceWithinTenMinutesEvenIfNobodyNotedIt) {
    AddressBook book;
    book.use_subnet("10.213.0.0/29", 0);
    EXPECT_EQ(choices(book, kNow).size(), 5U);
    EXPECT_EQ(choices(book, kNow + 9min).size(), 0U);
    EXPECT_EQ(choices(book, kNow + 10min).size(), 5U);
}

TEST(AddressBook, KeepsTheAddressOfOneThatIsGoneForTenMinutes) {
    AddressBook book;
    book.use_subnet("10.213.0.0/29", 0);
    book.reload({{"a", "10.213.0.2"}, {"b", "10.213.0.3"}}, kNow);
    book.release("a", kNow);
    book.release("nobody", kNow);
    book.reload({}, kNow + 5min);  // b went unseen
    EXPECT_EQ(choices(book, kNow + 9min), (std::set<std::string>{"10.213.0.4", "10.213.0.5", "10.213.0.6"}));
    EXPECT_EQ(choices(book, kNow + 10min), (std::set<std::string>{"10.213.0.2"}));
    EXPECT_EQ(choices(book, kNow + 15min), (std::set<std::string>{"10.213.0.3"}));
}

TEST(AddressBook, ChoosesFromTheNewSubnetWhenTheNetworkWasMadeAnew) {
    AddressBook book;
    book.use_subnet("10.213.0.0/29", 0);
    book.note("a", "10.213.0.2");
    book.use_subnet("10.214.0.0/29", 0);
    EXPECT_EQ(book.choose(kNow), "10.214.0.2");
    book.use_subnet("10.214.0.0/29", 0);
    EXPECT_EQ(book.choose(kNow), "10.214.0.3") << "the same subnet again changes nothing";
    book.use_subnet(std::nullopt, 0);
    EXPECT_EQ(book.choose(kNow), std::nullopt);
}

}  // namespace
}  // namespace agentdb9::runtime::docker
