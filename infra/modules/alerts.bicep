// What an operator wants to be woken for. The queries read the metrics that observability/metrics.py records; a test
// compares the names.
param suffix string
param location string
param tags object
param applicationInsightsId string
param eventHubNamespaceId string
param alertEmail string

@description('Seconds from enqueued to stored that count as lagging.')
param lagSeconds int = 60

var insightsAlerts = [
  {
    name: 'failed-batches'
    description: 'A batch failed: GET /api/batches?status=failed says at which stage, and why.'
    query: 'customMetrics | where name == "telemetry.batches" and tostring(customDimensions.outcome) == "failed" | summarize value = sum(valueSum)'
    threshold: 0
    severity: 1
  }
  {
    name: 'dead-letters'
    description: 'More than 100 broken rules in 15 minutes: GET /api/deadletters lists the messages with their reasons.'
    query: 'customMetrics | where name == "telemetry.rejections" | summarize value = sum(valueSum)'
    threshold: 100
    severity: 2
  }
  {
    name: 'lag'
    description: 'Messages are stored late.'
    query: 'customMetrics | where name == "telemetry.lag" | summarize value = max(valueMax)'
    threshold: lagSeconds
    severity: 2
  }
]

resource people 'Microsoft.Insights/actionGroups@2023-01-01' = if (!empty(alertEmail)) {
  name: 'ag-${suffix}'
  location: 'global'
  tags: tags
  properties: {
    groupShortName: 'drones'
    enabled: true
    emailReceivers: [{ name: 'operator', emailAddress: alertEmail, useCommonAlertSchema: true }]
  }
}

resource fromInsights 'Microsoft.Insights/scheduledQueryRules@2023-03-15-preview' = [
  for alert in insightsAlerts: {
    name: 'alert-${alert.name}-${suffix}'
    location: location
    tags: tags
    properties: {
      displayName: alert.name
      description: alert.description
      severity: alert.severity
      enabled: true
      scopes: [applicationInsightsId]
      evaluationFrequency: 'PT5M'
      windowSize: 'PT15M'
      criteria: {
        allOf: [
          {
            query: alert.query
            metricMeasureColumn: 'value'
            timeAggregation: 'Maximum'
            operator: 'GreaterThan'
            threshold: alert.threshold
            failingPeriods: { numberOfEvaluationPeriods: 1, minFailingPeriodsToAlert: 1 }
          }
        ]
      }
      actions: { actionGroups: empty(alertEmail) ? [] : [people.id] }
    }
  }
]

// Input without output: the hub takes events in, and no batch ends.
resource inputWithoutOutput 'Microsoft.Insights/scheduledQueryRules@2023-03-15-preview' = {
  name: 'alert-input-without-output-${suffix}'
  location: location
  tags: tags
  properties: {
    displayName: 'input-without-output'
    description: 'Events come in, and no batch has completed for 15 minutes.'
    severity: 0
    enabled: true
    scopes: [applicationInsightsId]
    evaluationFrequency: 'PT5M'
    windowSize: 'PT15M'
    criteria: {
      allOf: [
        {
          // Metrics, which are never sampled; requests are recorded only where they fail (host.json).
          query: 'customMetrics | where name == "telemetry.received" | summarize received = sum(valueSum) | extend completed = toscalar(customMetrics | where name == "telemetry.batches" and tostring(customDimensions.outcome) == "completed" | summarize sum(valueSum)) | project value = iff(received > 0 and coalesce(completed, 0.0) == 0.0, 1, 0)'
          metricMeasureColumn: 'value'
          timeAggregation: 'Maximum'
          operator: 'GreaterThan'
          threshold: 0
          failingPeriods: { numberOfEvaluationPeriods: 1, minFailingPeriodsToAlert: 1 }
        }
      ]
    }
    actions: { actionGroups: empty(alertEmail) ? [] : [people.id] }
  }
}

// The hub itself refuses senders: too few throughput units.
resource throttled 'Microsoft.Insights/metricAlerts@2018-03-01' = {
  name: 'alert-hub-throttled-${suffix}'
  location: 'global'
  tags: tags
  properties: {
    description: 'Event Hubs refuses events: raise maxThroughputUnits.'
    severity: 1
    enabled: true
    scopes: [eventHubNamespaceId]
    evaluationFrequency: 'PT5M'
    windowSize: 'PT15M'
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
      allOf: [
        {
          name: 'throttled'
          criterionType: 'StaticThresholdCriterion'
          metricName: 'ThrottledRequests'
          timeAggregation: 'Total'
          operator: 'GreaterThan'
          threshold: 0
        }
      ]
    }
    actions: empty(alertEmail) ? [] : [{ actionGroupId: people.id }]
  }
}
