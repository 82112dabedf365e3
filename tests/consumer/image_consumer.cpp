#include <iostream>
#include <secondlook/image/decode.hpp>
#include <secondlook/image/network.hpp>
#include <secondlook/secondlook.hpp>

int main() {
  try {
    static_cast<void>(secondlook::read_image("no/such/file.png"));
    return 1;
  } catch (const secondlook::FileError& error) {
    std::cout << error.what() << '\n';
  }
  const auto loss = secondlook::train_small_network(64, 4, 8, 20, 1);
  std::cout << "loss " << loss.first << " -> " << loss.last << '\n';
  return loss.last < loss.first ? 0 : 1;
}
