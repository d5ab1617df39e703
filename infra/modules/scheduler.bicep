// The Durable Task Scheduler: the durable engine's own service, in place of queues and tables. One task hub, entered with
// the app's identity.
param suffix string
param location string
param tags object
param principalId string
param skuName string

@description('Capacity units of the Dedicated SKU; the Consumption SKU has none.')
param capacity int

// Durable Task Data Contributor
var durableTaskDataContributor = '0ad04412-c4d5-4796-b79c-f76d14c8d402'

resource scheduler 'Microsoft.DurableTask/schedulers@2025-11-01' = {
  name: 'dts-${suffix}'
  location: location
  tags: tags
  properties: {
    // Who may enter is decided by the role below: Flex Consumption has no fixed outgoing addresses to list.
    ipAllowlist: ['0.0.0.0/0']
    sku: skuName == 'Dedicated' ? { name: skuName, capacity: capacity } : { name: skuName }
  }

  resource hub 'taskHubs' = {
    name: 'DroneTelemetry'
  }
}

resource role 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(scheduler.id, principalId, durableTaskDataContributor)
  scope: scheduler
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', durableTaskDataContributor)
  }
}

output endpoint string = scheduler.properties.endpoint
output taskHubName string = scheduler::hub.name
