#include "runtime/docker/usage.hpp"

#include <gtest/gtest.h>

namespace agentdb9::runtime::docker {
namespace {

// As an engine on cgroup v1 answers, cut down to what is read.
json::value version_1() {
    return json::parse(R"({"read":"2026-11-29T12:37:49.813559194Z","preread":"2026-11-29T12:37:48.804491881Z",
        "pids_stats":{"current":7},
        "blkio_stats":{"io_service_bytes_recursive":[{"major":8,"minor":0,"op":"Read","value":4096},
            {"major":8,"minor":0,"op":"Write","value":8192},{"major":8,"minor":0,"op":"Sync","value":12288},
            {"major":8,"minor":0,"op":"Total","value":12288},{"major":8,"minor":16,"op":"Read","value":1}]},
        "cpu_stats":{"cpu_usage":{"total_usage":1500000000,"percpu_usage":[1,2]},"system_cpu_usage":52000000000000,"online_cpus":2},
        "precpu_stats":{"cpu_usage":{"total_usage":1000000000},"system_cpu_usage":51998000000000,"online_cpus":2},
        "memory_stats":{"usage":1000000,"stats":{"cache":600000,"inactive_file":1,"total_inactive_file":400000},"limit":2000000},
        "networks":{"eth0":{"rx_bytes":736,"tx_bytes":12},"eth1":{"rx_bytes":64,"tx_bytes":8}}})");
}

// And on v2: other words, and some not there at all.
json::value version_2() {
    return json::parse(R"({"read":"2026-11-29T12:37:49Z","pids_stats":{"current":3,"limit":512},
        "blkio_stats":{"io_service_bytes_recursive":[{"major":8,"minor":0,"op":"read","value":10},{"major":8,"minor":0,"op":"write","value":20}]},
        "cpu_stats":{"cpu_usage":{"total_usage":3000000000},"system_cpu_usage":2000000000000,"online_cpus":4},
        "precpu_stats":{"cpu_usage":{"total_usage":1000000000},"system_cpu_usage":1996000000000},
        "memory_stats":{"usage":500,"stats":{"inactive_file":200,"file":300},"limit":1000}})");
}

TEST(Usage, IsReadFromCgroupVersion1) {
    const auto usage = usage_from(version_1());
    ASSERT_TRUE(usage);
    EXPECT_DOUBLE_EQ(usage->cpu_percent, 50.0);  // half a second in two seconds of two processors
    EXPECT_EQ(usage->cpus, 2);
    EXPECT_EQ(usage->memory_bytes, 600000U);
    EXPECT_EQ(usage->memory_cache_bytes, 400000U);
    EXPECT_EQ(usage->memory_limit_bytes, 2000000U);
    EXPECT_EQ(usage->received_bytes, 800U);
    EXPECT_EQ(usage->sent_bytes, 20U);
    EXPECT_EQ(usage->read_bytes, 4097U);
    EXPECT_EQ(usage->written_bytes, 8192U);
    EXPECT_EQ(usage->pids, 7U);
    EXPECT_EQ(base::format_time(usage->at), "2026-11-29T12:37:49.813Z");
}

TEST(Usage, IsReadFromCgroupVersion2) {
    const auto usage = usage_from(version_2());
    ASSERT_TRUE(usage);
    EXPECT_DOUBLE_EQ(usage->cpu_percent, 200.0);
    EXPECT_EQ(usage->memory_bytes, 300U);
    EXPECT_EQ(usage->memory_cache_bytes, 200U);
    EXPECT_EQ(usage->received_bytes, 0U);
    EXPECT_EQ(usage->read_bytes, 10U);
    EXPECT_EQ(usage->written_bytes, 20U);
}

TEST(Usage, CountersNeedNoLookBefore) {
    const auto one = counters_from(version_1());
    ASSERT_TRUE(one);
    EXPECT_EQ(one->cpu_ns, 1'500'000'000U);
    EXPECT_EQ(one->disk_bytes, 4096U + 8192 + 1);
    auto alone = version_2();
    alone.as_object().erase("precpu_stats");
    EXPECT_FALSE(usage_from(alone));
    const auto two = counters_from(alone);
    ASSERT_TRUE(two);
    EXPECT_EQ(two->cpu_ns, 3'000'000'000U);
    EXPECT_EQ(two->disk_bytes, 30U);
    EXPECT_EQ(base::format_time(two->at), "2026-11-29T12:37:49.000Z");
    EXPECT_FALSE(counters_from(json::parse(R"({"read":"0001-01-01T00:00:00Z"})"))) << "it does not run";
    EXPECT_FALSE(counters_from(json::value(7)));
}

TEST(Usage, IsNeverNegativeNorMoreThanThereIs) {
    auto odd = version_1();
    odd.at("memory_stats").at("stats").as_object()["total_inactive_file"] = 5'000'000;
    odd.at("cpu_stats").at("cpu_usage").as_object()["total_usage"] = 1;  // the counter began anew
    const auto usage = usage_from(odd);
    ASSERT_TRUE(usage);
    EXPECT_EQ(usage->memory_bytes, 0U);
    EXPECT_EQ(usage->memory_cache_bytes, 1'000'000U);
    EXPECT_EQ(usage->cpu_percent, 0.0);
    odd.at("cpu_stats").as_object()["system_cpu_usage"] = 51'998'000'000'000;  // no time has passed
    EXPECT_EQ(usage_from(odd)->cpu_percent, 0.0);
}

TEST(Usage, HasTheProcessorsFromAnyPlaceThatTellsThem) {
    auto old = version_1();
    old.at("cpu_stats").as_object().erase("online_cpus");
    EXPECT_EQ(usage_from(old)->cpus, 2);
}

TEST(Usage, IsAbsentWhereNothingRanOrNothingCanBeSaid) {
    auto stopped =
        json::parse(R"({"read":"0001-01-01T00:00:00Z","preread":"0001-01-01T00:00:00Z","pids_stats":{},
        "blkio_stats":{"io_service_bytes_recursive":null},"cpu_stats":{"cpu_usage":{"total_usage":0}},"precpu_stats":{}})");
    EXPECT_FALSE(usage_from(stopped));
    EXPECT_FALSE(is_running(stopped));
    auto first = version_1();
    first.at("precpu_stats").as_object().erase("system_cpu_usage");
    EXPECT_FALSE(usage_from(first)) << "the first of a stream";
    EXPECT_TRUE(is_running(first));
    for (const auto* text : {"null", "[]", "{}", "1", R"({"read":5})", R"({"read":"x"})"})
        EXPECT_FALSE(usage_from(json::parse(text))) << text;
}

TEST(Usage, TakesFieldsOfOtherKindsAsMissing) {
    auto odd = version_1().as_object();
    odd["networks"] = "none";
    odd["blkio_stats"] = json::array{1};
    odd["memory_stats"] = nullptr;
    odd["pids_stats"] = json::object{{"current", -5}};
    const auto usage = usage_from(odd);
    ASSERT_TRUE(usage);
    EXPECT_EQ(usage->received_bytes + usage->read_bytes + usage->memory_bytes + usage->pids, 0U);
}

}  // namespace
}  // namespace agentdb9::runtime::docker
