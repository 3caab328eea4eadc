/*
 * What Kafka's own kafka-consumer-groups.sh (3.9.1) would reset offsets to: each line of stdin is a JSON array of its arguments, each line of
 * stdout the plan as {"topic/partition": offset}, or {"error": "…"}. It lies in the tool's package because its service is not public.
 */
package org.apache.kafka.tools.consumer.group;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.TreeMap;
import org.apache.kafka.common.utils.Exit;

public final class ResetOracle {
  public static void main(String[] unused) throws Exception {
    ObjectMapper json = new ObjectMapper();
    PrintStream out = System.out;
    System.setOut(System.err); // The tool itself says things there.
    Exit.setExitProcedure((code, message) -> {
      throw new IllegalStateException("exit " + code + ": " + message);
    });
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line; (line = in.readLine()) != null; ) out.println(json.writeValueAsString(plan(json.readValue(line, String[].class))));
    Runtime.getRuntime().halt(0);
  }

  private static Map<String, Object> plan(String[] args) {
    Map<String, Object> result = new TreeMap<>();
    try {
      ConsumerGroupCommandOptions options = ConsumerGroupCommandOptions.fromArgs(args);
      try (var service = new ConsumerGroupCommand.ConsumerGroupService(options, Map.of("reconnect.backoff.max.ms", "200"))) {
        for (var group : service.resetOffsets().values())
          group.forEach((partition, offset) -> result.put(partition.topic() + "/" + partition.partition(), offset.offset()));
      }
    } catch (Exception error) {
      result.put("error", String.valueOf(error.getMessage()));
    }
    return result;
  }
}
