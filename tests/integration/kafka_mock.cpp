// librdkafka's mock cluster as a process: prints its bootstrap servers on one line and lives until stdin is closed.
//
// The mock keeps about 5 MB a partition and drops what is older in silence; nothing may be sent through it that is
// larger. Source: rdkafka_mock.h.

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include <array>
#include <iostream>
#include <memory>
#include <string>

namespace {

constexpr int kBrokers = 3;

struct Destroy {
  void operator()(rd_kafka_t* client) const { rd_kafka_destroy(client); }
  void operator()(rd_kafka_mock_cluster_t* cluster) const { rd_kafka_mock_cluster_destroy(cluster); }
};

}  // namespace

int main() {
  std::array<char, 512> error{};
  rd_kafka_conf_t* options = rd_kafka_conf_new();
  // Errors only: it would warn that it has no brokers, which are what it is made for.
  rd_kafka_conf_set(options, "log_level", "3", error.data(), error.size());
  const std::unique_ptr<rd_kafka_t, Destroy> client(
      rd_kafka_new(RD_KAFKA_PRODUCER, options, error.data(), error.size()));
  if (client == nullptr) {
    std::cerr << "kafka_mock: " << error.data() << '\n';
    return 1;
  }
  const std::unique_ptr<rd_kafka_mock_cluster_t, Destroy> cluster(rd_kafka_mock_cluster_new(client.get(), kBrokers));
  if (cluster == nullptr) {
    std::cerr << "kafka_mock: no mock cluster\n";
    return 1;
  }
  std::cout << rd_kafka_mock_cluster_bootstraps(cluster.get()) << std::endl;
  std::string line;
  while (std::getline(std::cin, line)) {
  }
}
