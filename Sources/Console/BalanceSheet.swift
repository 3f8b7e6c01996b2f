package import Logging
package import PipelineKit
import TelemetryData

/// The account of every signal, as it is logged at shutdown.
package enum BalanceSheet {
  /// Logs one line per signal; an unbalanced account is an error.
  package static func log(_ balances: [Balance], to logger: Logger) {
    for balance in balances {
      var fields: Logger.Metadata = ["signal": "\(balance.signal.rawValue)"]
      for state in LedgerState.allCases {
        let items = balance.items(state)
        if items > 0 || state == .received || state == .delivered { fields[state.rawValue] = "\(items)" }
      }
      let reasons = balance.lines.filter {
        ($0.state == .dropped || $0.state == .rejected || $0.state == .leaked) && !$0.reason.isEmpty
      }
      if !reasons.isEmpty {
        fields["reasons"] =
          "\(reasons.map { "\($0.state.rawValue)(\($0.reason))=\($0.items)" }.joined(separator: " "))"
      }
      if balance.inFlight > 0 { fields["in_flight"] = "\(balance.inFlight)" }
      fields["unaccounted"] = "\(balance.unaccounted)"
      logger.log(
        level: balance.unaccounted == 0 ? .info : .error, "balance sheet", metadata: fields)
    }
  }
}
