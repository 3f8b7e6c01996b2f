/// The value that ends a series in Prometheus: a NaN of one particular bit pattern, told apart from ordinary NaNs by
/// its bits only.
///
/// In OTLP the same is said by the data point flag `NO_RECORDED_VALUE`.
package enum StaleMarker {
  package static let bits: UInt64 = 0x7ff0_0000_0000_0002
  package static var value: Double { Double(bitPattern: bits) }

  package static func isStale(_ value: Double) -> Bool { value.bitPattern == bits }
}
