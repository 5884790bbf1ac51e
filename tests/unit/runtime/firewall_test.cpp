#include "runtime/docker/firewall.hpp"

#include <gmock/gmock.h>

namespace agentdb9::runtime::docker {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

TEST(Firewall, TakesNameServersThatAreReachedByNetwork) {
    EXPECT_THAT(name_servers_in("# nameserver 192.0.2.9\nsearch example.org\nnameserver 192.0.2.1\n"
                                "nameserver\t2001:db8::1\nnameserver 192.0.2.1 # again\noptions edns0\n"),
                ElementsAre("192.0.2.1", "2001:db8::1"));
    EXPECT_THAT(name_servers_in("nameserver 127.0.0.53\nnameserver ::1\n"), IsEmpty());
    EXPECT_THAT(name_servers_in(""), IsEmpty());
}

// A file that somebody else can write must not write rules.
TEST(Firewall, TakesNothingElseFromAFileForAnAddress) {
    EXPECT_THAT(
        name_servers_in("nameserver 1.2.3.4;accept\nnameserver fe80::1%eth0\nnameserver a\nnameserver 1.2\n"),
        IsEmpty());
}

TEST(Firewall, TellsInterfaceNamesFromOtherWords) {
    for (const auto* name : {"br-0123456789ab", "docker0", "work_net.1"})
        EXPECT_TRUE(is_interface_name(name)) << name;
    for (const auto* name : {"", "br-0123456789abc", "a b", "a\"b", "a/b", "a;b"})
        EXPECT_FALSE(is_interface_name(name)) << name;
}

TEST(Firewall, ReplacesTheTableOfItsBridgeAsAWhole) {
    const auto rules = firewall_rules("br-1", {}, {});
    EXPECT_TRUE(rules.starts_with(
        "add table inet agentdb9.br-1\ndelete table inet agentdb9.br-1\ntable inet agentdb9.br-1 {\n"))
        << rules;
    EXPECT_THAT(rules, HasSubstr("iifname != \"br-1\" accept"));
    EXPECT_THAT(rules, HasSubstr("oifname \"br-1\" drop"));
}

TEST(Firewall, LetsAnswersAndNamesThroughBeforeItRefuses) {
    const auto rules = firewall_rules("br-1", {.egress = std::vector<std::string>{}, .host_ports = {}},
                                      {"192.0.2.1", "2001:db8::1"});
    for (const auto* chain : {"chain input", "chain forward"}) {
        const auto part = rules.substr(rules.find(chain), rules.find('}', rules.find("th dport 53")) + 200);
        const auto answers = part.find("ct state established,related accept");
        const auto names = part.find("ip daddr 192.0.2.1 meta l4proto { tcp, udp } th dport 53 accept");
        const auto names_v6 = part.find("ip6 daddr 2001:db8::1 meta l4proto { tcp, udp } th dport 53 accept");
        const auto refusal = part.find("    reject\n");
        EXPECT_LT(answers, names) << chain;
        EXPECT_LT(names, names_v6) << chain;
        EXPECT_LT(names_v6, refusal) << chain;
        EXPECT_NE(refusal, std::string::npos) << chain;
    }
}

TEST(Firewall, LetsAllButLinkLocalAddressesBeReachedWhereNothingElseIsSaid) {
    const auto rules = firewall_rules("br-1", {}, {});
    const auto forward = rules.substr(rules.find("chain forward"));
    EXPECT_THAT(forward, HasSubstr("ip daddr 169.254.0.0/16 reject"));
    EXPECT_THAT(forward, HasSubstr("ip6 daddr fe80::/10 reject"));
    EXPECT_THAT(forward, Not(HasSubstr("    reject\n")));
}

TEST(Firewall, LetsOnlyWhatIsListedBeReached) {
    const auto rules =
        firewall_rules("br-1",
                       {.egress = std::vector<std::string>{"10.0.0.0/8", "10.1.0.0/16", "2001:db8::/32"},
                        .host_ports = {443, 8000}},
                       {});
    const auto forward = rules.substr(rules.find("chain forward"));
    EXPECT_THAT(forward, HasSubstr("ip daddr 10.0.0.0/8 accept\n    ip daddr 10.1.0.0/16 accept\n"
                                   "    ip6 daddr 2001:db8::/32 accept\n"));
    EXPECT_TRUE(forward.ends_with("    reject\n  }\n}\n"));
    EXPECT_THAT(rules, HasSubstr("tcp dport { 443, 8000 } accept"));
}

TEST(Firewall, FindsItsTablesAmongAll) {
    EXPECT_THAT(bridges_with_tables("table inet filter\ntable inet agentdb9.br-1\ntable inet agentdb9.a\"b\n"
                                    "table ip agentdb9.br-2\ntable inet agentdb9.docker0"),
                ElementsAre("br-1", "docker0"));
}

}  // namespace
}  // namespace agentdb9::runtime::docker
