internal import Transport

/// The attributes that `add_attributes` gives to records: which connection they came over.
struct NetworkAttributes {
  let isTCP: Bool
  let names: PeerNames

  /// The attributes, and whether they will not change.
  func attributes(local: HostPort, remote: HostPort) -> (list: [(String, String)], isFinal: Bool) {
    var list = [("net.transport", isTCP ? "IP.TCP" : "IP.UDP")]
    var isFinal = true
    for (end, address) in [("peer", remote), ("host", local)] where !address.host.isEmpty {
      let name = names.name(of: address.host)
      list.append(("net.\(end).ip", address.host))
      list.append(("net.\(end).port", String(address.port)))
      list.append(("net.\(end).name", name.text))
      isFinal = isFinal && name.isFinal
    }
    return (list, isFinal)
  }
}
