#include "model/application_host.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace agentdb9::model {
namespace {

const std::string kId = "0b51e4da-c489-4d33-b709-59015bfbeae4";
const base::WorkspaceId kWorkspace = *base::WorkspaceId::parse(kId);
const std::string kDomain = "apps.example.org";

TEST(ApplicationHost, IsReadAsItIsWritten) {
    for (int port : {1, 8080, 65535}) {
        const auto host = application_host(kWorkspace, port, kDomain);
        EXPECT_LE(host.find('.'), 63U);
        EXPECT_EQ(parse_application_host(host, kDomain), (ApplicationName{kWorkspace, port})) << host;
        EXPECT_EQ(parse_application_host(host + ":8001", kDomain), (ApplicationName{kWorkspace, port}));
    }
    EXPECT_EQ(application_host(kWorkspace, 8080, kDomain), "8080--" + kId + ".apps.example.org");
    EXPECT_TRUE(parse_application_host("8080--" + kId + ".localhost:1", "localhost"));
}

TEST(ApplicationHost, IsReadInAnyCase) {
    auto host = application_host(kWorkspace, 8080, kDomain);
    for (char& c : host)
        c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    EXPECT_EQ(parse_application_host(host, kDomain), (ApplicationName{kWorkspace, 8080}));
}

TEST(ApplicationHost, WhatIsNotBelowTheDomainIsElsewhere) {
    for (const auto& host :
         std::vector<std::string>{"", "apps.example.org", "APPS.example.org:8001", "apps.example.org.",
                                  ".apps.example.org.evil", "x", "127.0.0.1:8001", "[::1]:8001",
                                  "evilapps.example.org", "example.org", "org", ":80", ".", ":"})
        EXPECT_EQ(parse_application_host(host, kDomain).error(), HostFault::kElsewhere) << host;
    EXPECT_EQ(parse_application_host("8080--" + kId + ".evil.org", kDomain).error(), HostFault::kElsewhere);
    EXPECT_EQ(parse_application_host("8080--" + kId + "apps.example.org", kDomain).error(),
              HostFault::kElsewhere);
}

TEST(ApplicationHost, OtherNamesBelowItAreUnknown) {
    const auto good = application_host(kWorkspace, 8080, kDomain);
    for (const auto& host : std::vector<std::string>{good + ".",
                                                     good + ".:80",
                                                     good + ":",
                                                     good + ":0",
                                                     good + ":x",
                                                     good + ":80:80",
                                                     good + ":080",
                                                     "." + good,
                                                     "x." + good,
                                                     "0--" + kId + "." + kDomain,
                                                     "08080--" + kId + "." + kDomain,
                                                     "65536--" + kId + "." + kDomain,
                                                     "-1--" + kId + "." + kDomain,
                                                     "--" + kId + "." + kDomain,
                                                     "8080-" + kId + "." + kDomain,
                                                     "8080---" + kId + "." + kDomain,
                                                     kId + "." + kDomain,
                                                     "8080--" + kId + "x." + kDomain,
                                                     "8080--" + kId.substr(1) + "." + kDomain,
                                                     "www." + kDomain,
                                                     "." + kDomain,
                                                     "8080--" + kId + ".x." + kDomain})
        EXPECT_EQ(parse_application_host(host, kDomain).error(), HostFault::kUnknown) << host;
}

TEST(ApplicationsDomain, LeavesRoomForEveryNameBelowIt) {
    const std::string label(60, 'a');
    const auto longest = label + "." + label + "." + label + "." + std::string(26, 'a');
    EXPECT_EQ(check_applications_domain(longest), "");
    EXPECT_EQ(application_host(kWorkspace, 65535, longest).size(), kMaxHostName);
    EXPECT_NE(check_applications_domain("a" + longest), "");
}

TEST(ApplicationsDomain, IsADomainAndNothingElse) {
    for (const auto& good :
         std::vector<std::string>{"apps.example.org", "localhost", "a-b.c1", "1.apps.test", "xn--a.test"})
        EXPECT_EQ(check_applications_domain(good), "") << good;
    for (const auto& bad : std::vector<std::string>{
             "", ".", "apps.example.org.", ".apps.example.org", "apps..org", "*.apps.example.org",
             "https://apps.example.org", "apps.example.org:8001", "apps.example.org/", "Apps.example.org",
             "-a.org", "a-.org", "a_b.org", "10.0.0.1", "[::1]", "a b.org", std::string(64, 'a') + ".org"})
        EXPECT_TRUE(check_applications_domain(bad).starts_with("must ")) << bad;
}

TEST(HostName, IsTakenFromAnOriginOrAHostField) {
    EXPECT_EQ(host_name_of("https://Work.example:81"), "work.example");
    EXPECT_EQ(host_name_of("work.example"), "work.example");
    EXPECT_EQ(host_name_of("[::1]:80"), "[::1]");
    EXPECT_EQ(host_name_of(""), "");
    EXPECT_EQ(port_suffix_of("https://work.example:81"), ":81");
    EXPECT_EQ(port_suffix_of("https://work.example"), "");
    EXPECT_EQ(port_suffix_of("[::1]"), "");
    EXPECT_EQ(port_suffix_of("[::1]:80"), ":80");
}

}  // namespace
}  // namespace agentdb9::model
