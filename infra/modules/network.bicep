// A virtual network in which the app reaches its storage accounts and Cosmos DB through private endpoints.
param suffix string
param location string
param tags object
param hostAccountId string
param dataAccountId string
param cosmosAccountId string

// What the durable extension, the host and the store ask for; one endpoint and one DNS zone each.
var endpoints = [
  { name: 'host-blob', target: hostAccountId, group: 'blob' }
  { name: 'host-queue', target: hostAccountId, group: 'queue' }
  { name: 'host-table', target: hostAccountId, group: 'table' }
  { name: 'data-blob', target: dataAccountId, group: 'blob' }
  { name: 'cosmos', target: cosmosAccountId, group: 'Sql' }
]

var groups = ['blob', 'queue', 'table', 'Sql']

// The names that Azure gives these zones; a client finds the private address by the public name.
var zoneNames = {
  blob: 'privatelink.blob.${environment().suffixes.storage}'
  queue: 'privatelink.queue.${environment().suffixes.storage}'
  table: 'privatelink.table.${environment().suffixes.storage}'
  Sql: 'privatelink.documents.azure.com'
}

resource vnet 'Microsoft.Network/virtualNetworks@2024-01-01' = {
  name: 'vnet-${suffix}'
  location: location
  tags: tags
  properties: {
    addressSpace: { addressPrefixes: ['10.0.0.0/16'] }
    subnets: [
      {
        name: 'private-endpoints'
        properties: { addressPrefix: '10.0.1.0/24', privateEndpointNetworkPolicies: 'Disabled' }
      }
      {
        name: 'app'
        properties: {
          addressPrefix: '10.0.2.0/24'
          // What Flex Consumption asks of its subnet.
          delegations: [{ name: 'app', properties: { serviceName: 'Microsoft.App/environments' } }]
        }
      }
    ]
  }
}

resource zones 'Microsoft.Network/privateDnsZones@2020-06-01' = [
  for group in groups: {
    name: zoneNames[group]
    location: 'global'
    tags: tags
  }
]

resource links 'Microsoft.Network/privateDnsZones/virtualNetworkLinks@2020-06-01' = [
  for (group, i) in groups: {
    parent: zones[i]
    name: 'link-${suffix}'
    location: 'global'
    properties: { registrationEnabled: false, virtualNetwork: { id: vnet.id } }
  }
]

resource privateEndpoints 'Microsoft.Network/privateEndpoints@2024-01-01' = [
  for endpoint in endpoints: {
    name: 'pe-${endpoint.name}-${suffix}'
    location: location
    tags: tags
    properties: {
      subnet: { id: '${vnet.id}/subnets/private-endpoints' }
      privateLinkServiceConnections: [
        {
          name: endpoint.name
          properties: { privateLinkServiceId: endpoint.target, groupIds: [endpoint.group] }
        }
      ]
    }
  }
]

resource zoneGroups 'Microsoft.Network/privateEndpoints/privateDnsZoneGroups@2024-01-01' = [
  for (endpoint, i) in endpoints: {
    parent: privateEndpoints[i]
    name: 'default'
    properties: {
      privateDnsZoneConfigs: [
        { name: endpoint.group, properties: { privateDnsZoneId: zones[indexOf(groups, endpoint.group)].id } }
      ]
    }
    dependsOn: [links]
  }
]

output appSubnetId string = '${vnet.id}/subnets/app'
