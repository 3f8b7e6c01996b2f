/// Patterns as they stand in configurations, with lines of the software whose logs they read.
enum RealPattern: String, CaseIterable {
  case nginxCombined, nginxLazy, nginxOptional, apacheCommon, apacheError, syslog, syslogRelay, python, java,
    javaLazy
  case containerd, postgres, klog, keyValue, searched, haproxy, address, loose

  var pattern: String {
    switch self {
    case .nginxCombined:
      #"^(?P<remote>\S+) - (?P<user>\S+) \[(?P<time>[^\]]+)\] "(?P<method>\S+) (?P<path>\S+) (?P<protocol>[^"]+)" "#
        + #"(?P<status>\d+) (?P<bytes>\d+) "(?P<referer>[^"]*)" "(?P<agent>[^"]*)"$"#
    case .nginxLazy:
      #"^(?P<remote>.*?) - (?P<user>.*?) \[(?P<time>.*?)\] "(?P<request>.*?)" (?P<status>\d{3}) (?P<bytes>\d+) "#
        + #""(?P<referer>.*?)" "(?P<agent>.*?)""#
    case .nginxOptional:
      #"^(?P<remote>[^ ]*) (?P<host>[^ ]*) (?P<user>[^ ]*) \[(?P<time>[^\]]*)\] "(?P<method>\S+)(?: +(?P<path>[^\"]*?)"#
        + #"(?: +\S*)?)?" (?P<code>[^ ]*) (?P<size>[^ ]*)(?: "(?P<referer>[^\"]*)" "(?P<agent>[^\"]*)")"#
    case .apacheCommon:
      #"^(?P<host>\S+) (?P<ident>\S+) (?P<user>\S+) \[(?P<time>[\w:/]+\s[+\-]\d{4})\] "(?P<request>.+?)" "#
        + #"(?P<status>\d{3}) (?P<size>\d+|-)$"#
    case .apacheError:
      #"^\[(?P<time>[^\]]*)\] \[(?:(?P<module>[^:\]]+):)?(?P<level>[^\]]+)\] \[pid (?P<pid>\d+)(?::tid (?P<tid>\d+))?\]"#
        + #"(?: \[client (?P<client>[^\]]*)\])? (?P<message>.*)$"#
    case .syslog:
      #"^(?P<time>[A-Z][a-z]{2} [ \d]\d \d{2}:\d{2}:\d{2}) (?P<host>\S+) (?P<program>[\w\-./]+)(?:\[(?P<pid>\d+)\])?: "#
        + #"(?P<message>.*)"#
    case .syslogRelay:
      #"^<(?P<priority>\d{1,3})>(?P<time>\w+ +\d+ [\d:]+) (?P<host>[^\s]+) (?P<tag>[^:]+):\s*(?P<text>.*)$"#
    case .python:
      #"^(?P<time>\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2},\d{3}) - (?P<logger>[\w.]+) - (?P<level>[A-Z]+) - (?P<message>.*)"#
    case .java:
      #"^(?P<time>\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2}[.,]\d{3})\s+(?P<level>[A-Z]+)\s+\[(?P<thread>[^\]]+)\]\s+"#
        + #"(?P<class>[\w.$]+)\s+[-:]\s+(?P<message>(?s:.*))$"#
    case .javaLazy:
      #"(?s)^(?P<time>.{23}) +(?P<level>\S+) +\[(?P<thread>.*?)\] +(?P<class>.*?) +- +(?P<message>.*)$"#
    case .containerd: #"^(?P<time>[^ Z]+Z) (?P<stream>stdout|stderr) (?P<logtag>[^ ]*) ?(?P<log>.*)$"#
    case .postgres:
      #"^(?P<time>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+ \w+) \[(?P<pid>\d+)\] (?:(?P<user>[^@ ]*)@(?P<db>\S*) )?"#
        + #"(?P<level>DEBUG\d?|INFO|NOTICE|WARNING|ERROR|LOG|FATAL|PANIC):\s+(?P<message>(?s).*)$"#
    case .klog:
      #"^(?P<level>[IWEF])(?P<time>\d{4} \d{2}:\d{2}:\d{2}\.\d+)\s+(?P<thread>\d+) (?P<file>[^:]+):(?P<line>\d+)\] "#
        + #"(?P<message>.*)"#
    case .keyValue: #"level=(?P<level>\w+).*msg="(?P<message>(?:[^"\\]|\\.)*)""#
    case .searched: #"(?i)\berror:?\s+(?P<code>\d+)"#
    case .haproxy:
      #"(?P<client>[\w.:]+):(?P<port>\d+) \[(?P<time>[^\]]+)\] (?P<frontend>\S+) (?P<backend>[^/ ]+)/(?P<server>\S+) "#
        + #"(?P<timers>(?:-?\d+/){4}\+?\d+) (?P<status>\d{3}) (?P<bytes>\d+)"#
    case .address: #"(?P<ip>(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d))"#
    case .loose: #"(?P<first>.*) (?P<second>.*) (?P<third>.*)"#
    }
  }

  private static let access =
    #"203.0.113.77 - frank [10/Oct/2025:13:55:36 +0000] "GET /shop/products/1234567?ref=newsletter HTTP/1.1" 200 23261 "#
    + #""https://www.example.com/start.html" "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/126.0""#

  var line: String {
    switch self {
    case .nginxCombined, .nginxLazy, .nginxOptional: Self.access
    case .apacheCommon:
      #"192.0.2.9 - frank [10/Oct/2000:13:55:36 -0700] "GET /apache_pb.gif HTTP/1.0" 200 2326"#
    case .apacheError:
      "[Fri Sep 09 10:42:29.902022 2011] [core:error] [pid 35708:tid 4328636416] [client 192.0.2.9] File does not exist: /x"
    case .syslog: "Oct 11 22:14:15 mymachine su[231]: 'su root' failed for lonvick on /dev/pts/8"
    case .syslogRelay:
      "<34>Oct 11 22:14:15 mymachine.example.com su: 'su root' failed für lonvick on /dev/pts/8"
    case .python:
      "2025-10-10 13:55:36,123 - shop.orders - WARNING - order 17 of Zoë was not paid, 3 € are missing"
    case .java, .javaLazy:
      "2025-10-10 13:55:36.123  INFO [http-nio-8080-exec-1] c.example.shop.OrderController - Order 4711 placed by 17\n  at x"
    case .containerd: "2025-10-10T13:55:36.123456789Z stdout F {\"level\":\"info\",\"message\":\"started\"}"
    case .postgres:
      "2025-10-10 13:55:36.123 UTC [4711] shop@orders ERROR:  duplicate key value violates unique constraint \"orders_pkey\""
    case .klog:
      "E0210 20:41:37.123456   12345 server.go:123] \"Failed to serve\" err=\"listen tcp: address already in use\""
    case .keyValue:
      #"time=2025-10-10T13:55:36Z level=warn component=cache msg="evicted \"hot\" keys" count=17 took=3ms"#
    case .searched:
      "2025-10-10 13:55:36 worker-3 could not fetch the page, upstream said Error: 503 after three attempts"
    case .haproxy:
      "haproxy[6103]: 192.0.2.4:33320 [06/Feb/2009:12:12:51.443] fnt bck/srv1 0/0/5007/0/+5007 504 194 - - sHVN 1/1/1/1/0"
    case .address: "Failed password for invalid user admin from 198.51.100.23 port 52413 ssh2"
    case .loose: "what is written here has words, and some more of them"
    }
  }

  /// Lines that differ from the example a little.
  var variations: [[UInt8]] {
    let bytes = Array(line.utf8)
    var texts: [[UInt8]] = [bytes, [], bytes + [0x0A], bytes.reversed()]
    for place in stride(from: 0, to: bytes.count, by: 7) {
      let (front, back) = (Array(bytes[..<place]), Array(bytes[place...]))
      texts += [front, back]
      for piece: [UInt8] in [[0xE9], Array("é€".utf8), [0x22, 0x20, 0x37]] {
        texts.append(front + piece + back)
      }
    }
    return texts
  }
}
